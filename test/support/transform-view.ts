/** The document of an on-demand view whose bundle is written by hand. */
import type { OnDemandViewDocument } from '../../src/registry/document.ts';

export interface TransformViewOptions {
  readonly name?: string;
  /** Value types by name. */
  readonly features: Readonly<Record<string, string>>;
  readonly request?: Readonly<Record<string, string>>;
  readonly inputs?: OnDemandViewDocument['inputs'];
  /** JavaScript of the function. */
  readonly transform: string;
  /** JavaScript that stands before it. */
  readonly before?: string;
}

export function transformView({
  name = 'clock',
  features,
  request = {},
  inputs = [],
  transform,
  before = '',
}: TransformViewOptions): OnDemandViewDocument {
  const bundle = `"use strict";var featherflight=(()=>{${before};return{transforms:{${JSON.stringify(name)}:${transform}}}})();`;
  return {
    name,
    kind: 'onDemand',
    request: Object.entries(request).map(([value, type]) => ({ name: value, type })),
    inputs,
    features: Object.entries(features).map(([feature, type]) => ({ name: feature, type })),
    transform: { bundle, hash: bundle },
    tags: {},
    file: 'features/all.ts',
  };
}
