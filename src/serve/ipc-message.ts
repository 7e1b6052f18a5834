/** An Arrow IPC message as it travels: header without prefix, and body. */
export interface IpcMessage {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  /** To be called, if at all, when nobody reads the body any more: its memory is used again. */
  readonly release?: (() => void) | undefined;
}
