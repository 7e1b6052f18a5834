/** Stored reports for a caller: whole, or what they tell of the views that a token is for. */
import { isSeenBy } from '../access/views-asked.ts';
import { FeatureStoreError } from '../errors.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { narrowReport } from '../validate/narrow-report.ts';
import type { Narrow, ReportEnvelope, ReportQuery, Reports } from '../validate/reports.ts';

export interface SeenReportsParts {
  readonly reports: Pick<Reports, 'list' | 'read'>;
  registry(): RegistryDocument;
  readDocument(version: number): RegistryDocument | undefined;
}

export interface SeenQuery extends Pick<ReportQuery, 'kind' | 'limit'> {
  /** Those that the caller may see; undefined: all. */
  readonly views: readonly string[] | undefined;
}

export interface SeenList {
  readonly reports: readonly ReportEnvelope[];
  /** Reports among those that were looked at that tell of other views alone. */
  readonly left_out: number;
}

export interface SeenReports {
  list(query: SeenQuery): Promise<SeenList>;
  /** PERMISSION_DENIED where it tells of other views alone. */
  read(id: string, views: readonly string[] | undefined): Promise<ReportEnvelope>;
}

export function createSeenReports(parts: SeenReportsParts): SeenReports {
  const { reports } = parts;
  return {
    async list({ views, ...query }) {
      const narrow = views && narrowTo(parts, views);
      let left = 0;
      const count: Narrow | undefined =
        narrow &&
        ((report) => {
          const seen = narrow(report);
          if (seen === undefined) left += 1;
          return seen;
        });
      return { reports: await reports.list({ ...query, narrow: count }), left_out: left };
    },
    async read(id, views) {
      const report = await reports.read(id);
      if (views === undefined) return report;
      const seen = narrowTo(parts, views)(report);
      if (seen !== undefined) return seen;
      const held = views.map((view) => `"${view}"`).join(', ');
      throw new FeatureStoreError(
        'PERMISSION_DENIED',
        `report ${id} tells of other views than this token is for, which are ${held}`,
        {
          details: { id, views },
        },
      );
    },
  };
}

/** By the definitions of the report's time: an on-demand view is seen by who may see all that it read then. */
function narrowTo({ registry, readDocument }: SeenReportsParts, views: readonly string[]): Narrow {
  const documents = new Map<number, RegistryDocument | undefined>([[registry().version, registry()]]);
  const documentOf = (version = registry().version) => {
    if (!documents.has(version)) documents.set(version, readDocument(version));
    return documents.get(version);
  };
  return (report) => {
    const document = documentOf((report as { readonly version?: number }).version);
    return document && narrowReport(report, (view) => isSeenBy({ views }, document, view));
  };
}
