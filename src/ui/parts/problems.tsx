/** What is wrong, each with a link to where it is seen closer. */

import type { Problem } from './area-problems.ts';
import { formatAge, formatInstant } from './format.ts';

const most = 8;
const severities = { bad: 'wrong', warn: 'look' } as const;

export function Problems({ label, problems }: { readonly label: string; readonly problems: readonly Problem[] }) {
  const shown = problems.slice(0, most);
  return (
    <ul className="problems" aria-label={label}>
      {shown.map((problem) => (
        <li key={`${problem.name} ${problem.text}`} className={problem.severity}>
          <span className="for-readers">{severities[problem.severity]}: </span>
          <a href={problem.href}>{problem.name}</a>
          <span className="problem-text">{problem.text}</span>
          {problem.since !== undefined && (
            <span className="note" title={formatInstant(problem.since)}>
              {formatAge(problem.since)}
            </span>
          )}
        </li>
      ))}
      {problems.length > shown.length && <li className="note">{`and ${problems.length - shown.length} more`}</li>}
    </ul>
  );
}
