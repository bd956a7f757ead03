import type { Container } from './apiObjects.ts';
import type { TextSource } from './signInSources.ts';

type Entry = NonNullable<Container['env']>[number];

/** A container's variables, as far as its spec says where their texts are. */
export interface Environment {
  /** In the order of the spec. */
  readonly names: readonly string[];
  source(name: string): TextSource | undefined;
  /** A variable's text where the spec holds it. */
  text(name: string): string | undefined;
  /** Where a variable may be that `env` does not have: the objects of `envFrom`, the one that counts first. */
  possible(name: string): readonly TextSource[];
  /** An argument with its variables: a text, or where the whole of it is. */
  expand(argument: string): string | TextSource | undefined;
}

export function environmentOf({ env = [], envFrom = [] }: Container): Environment {
  const sources = new Map<string, TextSource>();
  const lookUp = (name: string): TextSource | undefined => sources.get(name);
  // In order: as in Kubernetes, a variable sees those before it.
  for (const entry of env) {
    const source = sourceOf(entry, lookUp);
    if (source !== undefined) sources.set(entry.name, source);
  }
  return {
    names: env.map(({ name }) => name),
    source: lookUp,
    text: (name) => textOf(sources.get(name)),
    possible: (name) => {
      if (env.some((entry) => entry.name === name)) return [];
      return envFrom.flatMap((from) => possibleIn(from, name)).reverse();
    },
    expand: (argument) => expand(argument, lookUp),
  };
}

function textOf(source: TextSource | undefined): string | undefined {
  return source !== undefined && 'text' in source ? source.text() : undefined;
}

type LookUp = (name: string) => TextSource | undefined;

function sourceOf({ name, value, valueFrom }: Entry, lookUp: LookUp): TextSource | undefined {
  const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
  if (secretKeyRef?.name !== undefined) return { secret: secretKeyRef.name, key: secretKeyRef.key };
  if (configMapKeyRef?.name !== undefined)
    return { configMap: configMapKeyRef.name, key: configMapKeyRef.key };
  if (value === undefined || value === '') return undefined;
  const expanded = expand(value, lookUp);
  return typeof expanded === 'string' ? { place: `variable ${name}`, text: () => expanded } : expanded;
}

function possibleIn(
  { prefix = '', secretRef, configMapRef }: NonNullable<Container['envFrom']>[number],
  name: string,
): readonly TextSource[] {
  if (!name.startsWith(prefix) || name === prefix) return [];
  const key = name.slice(prefix.length);
  if (secretRef?.name !== undefined) return [{ secret: secretRef.name, key }];
  return configMapRef?.name === undefined ? [] : [{ configMap: configMapRef.name, key }];
}

/**
 * `$(NAME)` as Kubernetes replaces it: a name it does not know stays as it is, and `$$` is a dollar sign. Undefined where a
 * part of the text is in a Secret or ConfigMap: then nobody but the container knows all of it.
 */
function expand(text: string, lookUp: LookUp): string | TextSource | undefined {
  const whole = /^\$\(([^()\s]+)\)$/.exec(text)?.[1];
  const source = whole === undefined ? undefined : lookUp(whole);
  if (source !== undefined) return textOf(source) ?? source;
  const names = [...text.matchAll(reference)].flatMap(([, name]) => name ?? []);
  if (names.some((name) => lookUp(name) !== undefined && textOf(lookUp(name)) === undefined))
    return undefined;
  return text.replaceAll(reference, (found, name: string | undefined) =>
    name === undefined ? '$' : (textOf(lookUp(name)) ?? found),
  );
}

/** The escape of a dollar sign, or a variable with its name. */
const reference = /\$\$|\$\(([^()\s]+)\)/g;
