/** Which screen stands for which address. */
import { useRoute } from './parts/route.ts';
import { Shell } from './parts/shell.tsx';
import { Nowhere } from './parts/told.tsx';
import { Catalogue } from './screens/catalogue.tsx';
import { Dataset } from './screens/dataset.tsx';
import { DatasetDiff } from './screens/dataset-diff.tsx';
import { DatasetVersion } from './screens/dataset-version.tsx';
import { Datasets } from './screens/datasets.tsx';
import { Entity } from './screens/entity.tsx';
import { Health } from './screens/health.tsx';
import { Overview } from './screens/overview.tsx';
import { Playground } from './screens/playground.tsx';
import { Report } from './screens/report.tsx';
import { Reports } from './screens/reports.tsx';
import { Service } from './screens/service.tsx';
import { Source } from './screens/source.tsx';
import { Stream } from './screens/stream.tsx';
import { Streams } from './screens/streams.tsx';
import { View } from './screens/view.tsx';

export function App() {
  const { parts } = useRoute();
  return (
    <Shell section={parts[0] ?? ''}>
      <Screen key={parts.join('/')} parts={parts} />
    </Shell>
  );
}

function Screen({ parts: [section = '', name, part, other] }: { readonly parts: readonly string[] }) {
  if (section === '') return <Overview />;
  if (section === 'catalogue') return <Catalogue />;
  if (section === 'datasets') {
    if (name === undefined) return <Datasets />;
    if (part === 'diff' && other !== undefined) return <DatasetDiff from={name} to={other} />;
    return name.includes('@') ? <DatasetVersion reference={name} /> : <Dataset name={name} />;
  }
  if (section === 'health') return <Health />;
  if (section === 'streams') return name === undefined ? <Streams /> : <Stream name={name} />;
  if (section === 'reports') return name === undefined ? <Reports /> : <Report id={name} />;
  if (section === 'playground') return <Playground />;
  if (name !== undefined && section === 'views') return <View name={name} />;
  if (name !== undefined && section === 'services') return <Service name={name} />;
  if (name !== undefined && section === 'sources') return <Source name={name} />;
  if (name !== undefined && section === 'entities') return <Entity name={name} />;
  return <Nowhere />;
}
