/** A histogram as small as a word: its shape, beside the numbers that say the rest. */

const height = 22;
const step = 4;

export function Spark({ label, counts }: { readonly label: string; readonly counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <svg
      className="spark"
      role="img"
      aria-label={label}
      width={Math.max(24, counts.length * step)}
      height={height}
      viewBox={`0 0 ${counts.length * step} ${height}`}
      preserveAspectRatio="none"
    >
      {counts.map((count, at) => {
        // What is there is seen, however little it is.
        const tall = count === 0 ? 0 : Math.max(1.5, (count / most) * height);
        // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
        return <rect key={at} x={at * step} y={height - tall} width={step - 1} height={tall} />;
      })}
    </svg>
  );
}
