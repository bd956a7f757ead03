import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { gateway, ports } from './layout.ts';
import type { Credentials } from './certificates.ts';

/** Asks the built cluster's API server as its administrator; returns status and body. */
export type Api = (method: 'GET' | 'POST', path: string, body?: object) => Promise<ApiAnswer>;

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** A bare client, so that the cluster starts without any package being loaded. */
export async function connectApi(credentials: Credentials): Promise<Api> {
  const ca = await readFile(credentials.ca);
  const [token = ''] = (await readFile(credentials.tokens, 'utf8')).split(',');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const options = { method, path, ca, headers, host: gateway, port: ports.apiserver, timeout: 10_000 };
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: text });
        });
        response.on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error('The API server does not answer.')));
      sent.on('error', reject);
      sent.end(body && JSON.stringify(body));
    });
}

/** Waits until `ready` says true; an error of it counts as false. Throws when `seconds` have gone by. */
export async function until(what: string, seconds: number, ready: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await ready().catch(() => false))) {
    if (Date.now() > end) throw new Error(`${what} not ready after ${seconds} s`);
    await delay(100);
  }
}
