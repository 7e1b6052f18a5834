/** On-demand feature views as documents, with their transforms bundled (rule 7.4). */
import type { OnDemandFeatureView } from '../../definitions/on-demand-feature-view.ts';
import { formatValueType, parseValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { BundleTransform } from '../bundle/bundle-transform.ts';
import type { ComputedFeatureDocument, OnDemandViewDocument, ServiceFeatures } from '../document.ts';
import { type Report, reporting } from '../problems.ts';
import { bindDeprecated } from './deprecated.ts';
import { bindExpectation } from './expectation.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';
import { bindSelection, isOnDemand, type SelectionScope } from './selection.ts';

const ownOptions = ['request', 'inputs', 'features', 'deprecated', 'transform', 'select', 'as'];

/** Loads a transform as the server will; FAILED_PRECONDITION says why it cannot be. */
export type CheckTransform = (view: OnDemandViewDocument) => unknown;

/** What becomes of a transform when it is bound. */
export interface TransformSteps {
  readonly bundle: BundleTransform;
  readonly check: CheckTransform;
}

/** Checks an on-demand view: request values, inputs, output types and the transform with all that it imports. */
export async function bindOnDemandView(
  view: OnDemandFeatureView,
  file: string,
  scope: SelectionScope,
  steps: TransformSteps,
  report: Report,
): Promise<OnDemandViewDocument> {
  const what = `on-demand feature view "${view.name}"`;
  checkName('on-demand feature view', view.name, report);
  checkOptions(what, view, optionNames(...ownOptions), report);
  const document: OnDemandViewDocument = {
    name: view.name,
    kind: 'onDemand',
    request: bindRequest(what, view.request, report),
    inputs: bindInputs(what, view.inputs, scope, report),
    features: bindOutputs(what, view, report),
    ...bindDeprecated(what, view, report),
    transform: await bindTransform(what, view, file, steps.bundle, report),
    ...bindDescribed(what, view, file, report),
  };
  if (document.transform.hash !== '') reporting(report, `${what}: `, () => steps.check(document));
  return document;
}

function bindRequest(what: string, request: unknown, report: Report): OnDemandViewDocument['request'] {
  if (request === undefined) return [];
  if (!isRecord(request)) {
    report(`${what}: request is types by name, such as { user_timezone: "string" }`);
    return [];
  }
  return Object.entries(request).flatMap(([name, text]) => {
    checkName(`${what}: request value`, name, report);
    const type = bindType(`${what}: request value "${name}": `, text, report);
    return type === undefined ? [] : [{ name, type }];
  });
}

function bindInputs(what: string, inputs: unknown, scope: SelectionScope, report: Report): readonly ServiceFeatures[] {
  if (inputs === undefined) return [];
  if (!Array.isArray(inputs)) {
    report(`${what}: inputs is an array of feature views, such as [userProfile.select("age")]`);
    return [];
  }
  const bound = inputs.flatMap((item: unknown) => {
    if (!isOnDemand(item)) return bindSelection(what, 'inputs', item, scope, report);
    const name = item.kind === 'onDemandSelection' ? item.view.name : item.name;
    report(`${what}: on-demand view "${name}" cannot be an input; import the function that both need, and read its inputs too`);
    return [];
  });
  const labels = bound.map((input) => input.prefix ?? input.view);
  for (const label of new Set(labels.filter((name, at) => labels.indexOf(name) < at))) {
    report(`${what}: two inputs would be read as features.${label}; select from it once, or give one a prefix with as("…")`);
  }
  return bound;
}

function bindOutputs(what: string, view: OnDemandFeatureView, report: Report): readonly ComputedFeatureDocument[] {
  const features = isRecord(view.features) ? Object.entries(view.features) : [];
  if (features.length === 0) report(`${what} has no features; write features: { local_hour: "int32" }`);
  return features.flatMap(([name, written]) => {
    const feature = `feature "${view.name}:${name}"`;
    checkName(`${what}: feature`, name, report);
    const options = isRecord(written) ? written : { type: written };
    checkOptions(feature, options, ['type', 'description', 'deprecated', 'expect'], report);
    const { description } = options;
    if (description !== undefined && typeof description !== 'string') report(`${feature}: description is a string`);
    const type = bindType(`${feature}: `, options.type, report);
    if (type === undefined) return [];
    const told = {
      ...(description === undefined ? {} : { description: String(description) }),
      ...bindDeprecated(feature, options, report),
      ...bindExpectation(feature, options, parseValueType(type), report),
    };
    return [{ name, type, ...told }];
  });
}

function bindType(prefix: string, text: unknown, report: Report): string | undefined {
  return reporting(report, prefix, () => formatValueType(parseValueType(text as string)));
}

async function bindTransform(
  what: string,
  view: OnDemandFeatureView,
  file: string,
  bundle: BundleTransform,
  report: Report,
): Promise<OnDemandViewDocument['transform']> {
  const none = { bundle: '', hash: '' };
  const transform: unknown = view.transform;
  if (typeof transform !== 'function') {
    report(`${what}: transform is a function, such as ({ request, now, features }) => ({ … })`);
    return none;
  }
  if (/^(Async|.*Generator)/.test(transform.constructor.name)) {
    report(`${what}: transform answers at once: it is no async function and no generator`);
    return none;
  }
  try {
    return await bundle(file, view.name);
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    report(`${what}: its transform cannot be bundled: ${error.message}`);
    return none;
  }
}
