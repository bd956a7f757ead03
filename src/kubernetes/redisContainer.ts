import type { Container } from './apiObjects.ts';

/** The container that runs the server, and the port clients use. */
export interface RedisContainer {
  readonly container: Container;
  readonly port: number;
}

const productWord = /(^|[^a-z])(redis|valkey|keydb)/i;
/** Images of programs around Redis that carry its name and speak another protocol, or speak for other servers. */
const companions =
  /exporter|operator|sentinel|insight|commander|benchmark|proxy|backup|metrics|sidecar|init|rdb-?tools|ui$/i;
/** Names that companions often have. A release can be called so too: they decide only between containers alike. */
const companionName = new RegExp(`${companions.source}|^agent|^config`, 'i');
const serverPortName = /^(tcp-)?(redis|valkey|keydb)(-(port|client|server|tcp|node|cluster))?$|^client$/i;
const redisPort = 6379;
/** Where Sentinel, exporters and web interfaces listen. */
const companionPorts: readonly number[] = [26_379, 9121, 5540, 8001, 8081];

/** The container of a pod's spec that looks like a Redis or Valkey server, by image, by port, then by labels. */
export function redisContainer(
  containers: readonly Container[],
  labels: Readonly<Record<string, string>> = {},
): RedisContainer | undefined {
  const able = containers
    .filter((one) => !isCompanion(one))
    .map((container) => ({ container, score: score(container) }))
    .sort((a, b) => b.score - a.score || Number(isCalledCompanion(a)) - Number(isCalledCompanion(b)));
  const [best] = able;
  if (best === undefined || (best.score === 0 && !isLabelled(labels))) return undefined;
  return { container: best.container, port: portOf(best.container) };
}

/** By what it runs and listens on. */
function isCompanion(container: Container): boolean {
  const { image, ports = [] } = container;
  if (companions.test(imageName(image))) return true;
  const program = programText(container);
  if (startsSentinel(program)) return true;
  if (/(redis|valkey|keydb)-(cli|benchmark)\b/.test(program) && !startsServer(program)) {
    return !listensAsServer(container);
  }
  return ports.length > 0 && ports.every(({ containerPort }) => companionPorts.includes(containerPort));
}

function isCalledCompanion({ container: { name } }: { readonly container: Container }): boolean {
  return companionName.test(name);
}

function score(container: Container): number {
  const server = listensAsServer(container);
  const image = productWord.test(imageName(container.image));
  const started = startsServer(programText(container));
  return (server ? 4 : 0) + (image ? 2 : 0) + (started ? 2 : 0);
}

function listensAsServer({ ports = [] }: Container): boolean {
  return ports.some((port) => port.containerPort === redisPort || serverPortName.test(port.name ?? ''));
}

/** Programs that merely use Redis are often called after it: `redis-worker`. */
export function isSurelyServer(container: Container): boolean {
  const image = /^(redis|valkey|keydb)(-(cluster|stack|stack-server|server|alpine))?$/i;
  return (
    listensAsServer(container) ||
    startsServer(programText(container)) ||
    image.test(imageName(container.image))
  );
}

export function startsSentinel(program: string): boolean {
  return /(redis|valkey|keydb)-sentinel\b|--sentinel\b|sentinel\.conf/.test(program);
}

function startsServer(program: string): boolean {
  return /(redis|valkey|keydb)-server/.test(program);
}

/** `quay.io/team/redis-cluster:7.2@sha256:…` → `redis-cluster`. */
export function imageName(image = ''): string {
  return (image.split('@')[0]?.split('/').at(-1) ?? '').split(':')[0] ?? '';
}

function isLabelled(labels: Readonly<Record<string, string>>): boolean {
  const names = ['app.kubernetes.io/name', 'app.kubernetes.io/component', 'app', 'k8s-app'];
  return names.some((name) => {
    const value = labels[name] ?? '';
    return productWord.test(value) && !companions.test(value);
  });
}

export function programText({ command, args }: Container): string {
  return [...(command ?? []), ...(args ?? [])].join(' ');
}

function portOf(container: Container): number {
  const ports = container.ports ?? [];
  const named = ports.find((port) => serverPortName.test(port.name ?? ''));
  const standard = ports.find((port) => port.containerPort === redisPort);
  return named?.containerPort ?? standard?.containerPort ?? writtenPort(container) ?? redisPort;
}

/** A server that speaks TLS alone has port 0 and another one for that. */
function writtenPort(container: Container): number | undefined {
  const program = programText(container);
  const variable = (name: RegExp): string | undefined =>
    container.env?.find((one) => name.test(one.name))?.value;
  return [
    /--port[= ](\d{1,5})\b/.exec(program)?.[1],
    /--tls-port[= ](\d{1,5})\b/.exec(program)?.[1],
    variable(/^(REDIS|VALKEY)_(PORT|PORT_NUMBER)$/),
    variable(/^(REDIS|VALKEY)_TLS_(PORT|PORT_NUMBER)$/),
  ]
    .map(Number)
    .find((port) => Number.isInteger(port) && port > 0);
}
