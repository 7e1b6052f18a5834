/** `featherflight preview VIEW|SERVICE`: features of definitions as the files say now, for a small frame, before they are applied. */
import { Command } from 'commander';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import { bindRepository } from '../registry/bind.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';
import { openTransform } from '../transform/open-transform.ts';
import { createTextWriter } from './answer-file.ts';
import type { Context } from './context.ts';
import { openEntityFrame } from './entity-frame.ts';
import { withRepository } from './local.ts';
import { runNeededTicks } from './preview-ticks.ts';
import { answerHere, writeAnswer } from './retrieval.ts';
import { addRetrievalOptions, makeRequest, printReport, type RetrievalOptions } from './retrieval-options.ts';
import { createTableWriter } from './table-writer.ts';
import { tellWarnings } from './tell-warnings.ts';

interface Options extends RetrievalOptions {
  readonly entities: string;
}

export function previewCommand(context: Context): Command {
  const command = new Command()
    .argument('<name>', 'a feature view or a feature service')
    .requiredOption('--entities <file>', 'the entity frame: .parquet, .csv, .json, .jsonl or .arrow');
  return addRetrievalOptions(command).action(async (name: string, options: Options) => {
    const interrupted = context.interruption();
    const report = await withRepository(context, async (repository, history) => {
      const bound = await bindRepository(repository, { ...history, checkTransform: openTransform });
      const registry: RegistryDocument = { ...bound, version: 0, appliedAt: '' };
      const request = makeRequest(options, wantedOf(registry, name));
      const frame = await openEntityFrame(history.engine, options.entities, context.directory);
      await runNeededTicks({ context, history, registry, request, frame, signal: interrupted });
      return await answerHere(history, registry, request, frame, interrupted, (answer) =>
        writeAnswer(answer, async (schema) => {
          if (context.json) return createTextWriter(schema, 'jsonl', context.write);
          return createTableWriter(schema, context.write);
        }),
      );
    });
    tellWarnings(context, report.warnings);
    context.say(printReport(report.rows, report.total_seconds, report.features));
  });
}

/** A service where there is one of that name, otherwise all features of the view. */
function wantedOf(registry: RegistryDocument, name: string): { features?: readonly string[]; service?: string } {
  if (registry.services.some((service) => service.name === name)) return { service: name };
  const views = [...registry.views, ...onDemandViewsOf(registry)];
  const view = views.find((candidate) => candidate.name === name);
  if (view !== undefined) return { features: view.features.map((feature) => `${name}:${feature.name}`) };
  const names = [...registry.services, ...views].map((candidate) => candidate.name);
  throw new FeatureStoreError('NOT_FOUND', `no feature view or service is named "${name}"${didYouMean(name, names)}`, {
    details: { name },
  });
}
