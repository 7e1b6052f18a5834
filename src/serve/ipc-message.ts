/** An Arrow IPC message as it travels: header without prefix, and body. */
export interface IpcMessage {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}
