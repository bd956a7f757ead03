const longest = 500;

/**
 * What a server says, fit to be shown: on one line, without characters that steer a terminal or the direction of text,
 * and without links, which notifications would make of `[text](command:…)`.
 */
export function serverText(text: string, most = longest): string {
  const shown = text
    .slice(0, most)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(/\p{Cf}/gu, '')
    .replaceAll('](', '] (');
  return text.length > most ? `${shown}…` : shown;
}

/** A name or an address that a server says of itself or of others: what no such name has is left out. */
export function serverName(text: string): string {
  return /^[\w.:%-]*$/.test(text) ? text : text.slice(0, longest).replaceAll(/[^\w.:%-]/g, '');
}

/** A key as people read it, short and with what cannot be printed escaped or left out. */
export function keyText(key: Buffer): string {
  const text = key.toString('utf8');
  return serverText(JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text));
}
