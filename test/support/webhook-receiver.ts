/** A webhook on this machine, and what it has taken. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HookMessage {
  readonly text: string;
  readonly attachments: readonly unknown[];
  readonly alert: {
    readonly id: string;
    readonly status: 'firing' | 'resolved';
    readonly rule: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly text: string;
  };
}

export interface WebhookReceiver {
  readonly url: string;
  /** Messages that were answered with 200, in their order. */
  readonly messages: readonly HookMessage[];
  /** `x-secret` of each request. */
  readonly secrets: readonly string[];
  /** May be replaced; default: 200. */
  answer: (response: ServerResponse) => void;
  stop(): Promise<void>;
}

export async function startWebhook(): Promise<WebhookReceiver> {
  const messages: HookMessage[] = [];
  const secrets: string[] = [];
  const server: Server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    secrets.push(String(request.headers['x-secret']));
    response.on('finish', () => {
      if (response.statusCode === 200) messages.push(JSON.parse(text));
    });
    receiver.answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    messages,
    secrets,
    answer: (response) => void response.end(),
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}
