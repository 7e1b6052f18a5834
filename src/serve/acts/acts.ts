/** Everything a server does that changes something, as one caller does it: each act has its line in the audit log. */
import type { Tokens } from '../../access/tokens.ts';
import { actingAs } from '../../audit/acting.ts';
import type { Actor } from '../../audit/actor.ts';
import type { Audit } from '../../audit/audit.ts';
import type { Erasures } from '../../materialize/erase.ts';
import type { Materialize } from '../../materialize/materialize.ts';
import type { RunTicks } from '../../materialize/run-ticks.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { ChangingDatasets, DatasetActions, TellingDatasets } from '../dataset-actions.ts';
import type { Definitions } from '../definitions.ts';
import type { PushRouting } from '../push-routing.ts';
import type { StreamActions } from '../stream-actions.ts';
import { auditDatasets } from './datasets.ts';
import { auditDefinitions } from './definitions.ts';
import { auditErasures } from './erasures.ts';
import { auditMaterialize, auditTicks } from './materialize.ts';
import { auditPushes } from './pushes.ts';
import { auditStreams } from './streams.ts';
import { auditTokens } from './tokens.ts';

export interface Acts {
  readonly definitions: Pick<Definitions, 'plan' | 'apply'>;
  readonly tokens: Tokens;
  readonly materialize: Materialize;
  readonly runTicks: RunTicks;
  readonly pushes: PushRouting;
  readonly erasures: Erasures;
  readonly streamActions: StreamActions;
  readonly datasets: ChangingDatasets;
}

/** What of these parts tells and changes nothing. */
export interface UnchangingParts {
  readonly definitions: Pick<Definitions, 'plan'>;
  readonly tokens: Pick<Tokens, 'list'>;
  readonly erasures: Pick<Erasures, 'list'>;
  readonly streamActions: Pick<StreamActions, 'list' | 'setAside'>;
  readonly datasets: TellingDatasets;
}

/** The only way to act on a running server: who acts must be said. */
export type ActsOf = (actor: Actor) => Acts;

export interface ActParts extends Omit<Acts, 'materialize' | 'datasets'> {
  readonly datasets: DatasetActions;
  readonly audit: Audit;
  registry(): RegistryDocument;
  /** Materialization that runs its ticks so. */
  makeMaterialize(runTicks: RunTicks): Materialize;
}

export function createActs(parts: ActParts): ActsOf {
  const { audit, registry } = parts;
  return (actor) => {
    const acting = actingAs(audit, actor);
    const materialize = parts.makeMaterialize(auditTicks(acting, parts.runTicks, { isPart: true }));
    return {
      definitions: auditDefinitions(acting, parts.definitions),
      tokens: auditTokens(acting, parts.tokens),
      materialize: auditMaterialize(acting, materialize, registry),
      runTicks: auditTicks(acting, parts.runTicks),
      pushes: auditPushes(acting, parts.pushes),
      erasures: auditErasures(acting, parts.erasures, registry),
      streamActions: auditStreams(acting, parts.streamActions),
      datasets: auditDatasets(acting, parts.datasets),
    };
  };
}
