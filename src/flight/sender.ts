/** Writes gRPC messages to a call without copying their large parts: assembling them costs more than all the rest of sending. */
import type { Duplex } from 'node:stream';
import { Metadata, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { FeatureStoreError } from '../errors.ts';
import { findHttp2Stream } from './http2-stream.ts';

/**
 * Sends one message, given as parts, before resolving: then the parts' memory may be used again and more may be sent. Rejects when the
 * call can take no more. Not to be called again before it has resolved.
 */
export type SendMessage = (parts: readonly Uint8Array[]) => Promise<void>;

/** Parts below this are copied together: one more write costs about what copying this much does. */
const smallPartBytes = 16 * 1024;
/** Messages that were copied whole are not waited for while no more than this is on its way. */
const unsentBytes = 256 * 1024;

/** Over the call's HTTP/2 stream where it can be had, otherwise through grpc-js's `sendMessage`, which copies every message twice more. */
export function createSender(call: ServerInterceptingCallInterface): SendMessage {
  const stream = findHttp2Stream(call);
  return stream === undefined ? createCopyingSender(call) : createStreamSender(call, stream);
}

/** A gRPC message is its compression flag (0), its length in 32 bits, big-endian, and its bytes. */
function createStreamSender(call: ServerInterceptingCallInterface, stream: Duplex): SendMessage {
  let started = false;
  return async (parts) => {
    if (!started) call.sendMetadata(new Metadata());
    started = true;
    if (stream.destroyed || stream.writableEnded) throw closedError();
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(length, 1);
    return writeParts(stream, joinSmallParts([prefix, ...parts]));
  };
}

function createCopyingSender(call: ServerInterceptingCallInterface): SendMessage {
  return (parts) => new Promise((resolve) => call.sendMessage(Buffer.concat(parts), resolve));
}

function writeParts(stream: Duplex, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.cork();
    parts.forEach((part, index) => {
      if (index < parts.length - 1) stream.write(part);
      else stream.write(part, (error) => (error ? reject(closedError(error)) : resolve()));
    });
    stream.uncork();
    if (parts.length === 1 && stream.writableLength <= unsentBytes) resolve();
  });
}

/** The same bytes in fewer parts: runs of small ones are copied together (so a single part is always a copy), large ones stay. */
export function joinSmallParts(parts: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  for (const part of parts) {
    if (part.length < smallPartBytes) {
      if (part.length > 0) run.push(part);
      continue;
    }
    if (run.length > 0) joined.push(Buffer.concat(run));
    run = [];
    joined.push(part);
  }
  if (run.length > 0) joined.push(Buffer.concat(run));
  return joined;
}

function closedError(cause?: Error): FeatureStoreError {
  return new FeatureStoreError('ABORTED', 'the call has ended: its connection takes no more data', { cause });
}
