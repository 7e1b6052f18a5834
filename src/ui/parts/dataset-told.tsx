/** A dataset that was read, or where it is: it may have been deleted, or never have been. */
import type { ReactNode } from 'react';
import type { CallError } from '../api/call.ts';
import { splitDataset } from '../api/datasets.ts';
import type { Answered } from '../api/use-answer.ts';
import { formatAge } from './format.ts';
import { href } from './route.ts';
import { Told } from './told.tsx';

export interface DatasetToldProps<T> {
  /** Stands above whatever there is in its place. */
  readonly title: string;
  readonly answer: Answered<T>;
  readonly children: (data: T) => ReactNode;
}

export function DatasetTold<T>({ title, answer, children }: DatasetToldProps<T>) {
  if (answer.error === undefined && answer.data !== undefined) return children(answer.data);
  return (
    <>
      <h1>{title}</h1>
      {answer.error?.code === 'NOT_FOUND' ? <Gone error={answer.error} /> : <Told answer={answer}>{children}</Told>}
    </>
  );
}

function Gone({ error }: { readonly error: CallError }) {
  const {
    dataset,
    versions = [],
    deleted_at: deleted,
  } = error.details as {
    readonly dataset?: string;
    readonly versions?: readonly number[];
    readonly deleted_at?: string | null;
  };
  const { name } = splitDataset(dataset ?? '');
  return (
    <section className="told" role="alert">
      <h2>{deleted == null ? 'There is no such dataset' : `This version was deleted ${formatAge(deleted)}`}</h2>
      <p>{error.message}</p>
      <ul>
        {versions.map((version) => (
          <li key={version}>
            <a href={href('datasets', `${name}@${version}`)}>{`${name}@${version}`}</a>
          </li>
        ))}
        <li>
          <a href={href('datasets')}>All datasets</a>
        </li>
      </ul>
    </section>
  );
}
