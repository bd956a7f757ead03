type Attributes = Readonly<Record<string, string>>;
type Child = Node | string;

/** Makes an element. Texts, also foreign ones, become text nodes and never markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  }
}

/** Sets a text only where it differs, so that screen readers hear changes and nothing else. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Sets a node's name in an element of the class `name`. Pods of one cluster differ at the end of their names, so that
 * the style sheet cuts one that is too long before its end.
 */
export function setName(target: Element, name: string): void {
  if (target.textContent === name) return;
  if (name.length <= 24) {
    target.replaceChildren(name);
    return;
  }
  const end = name.length - 14;
  target.replaceChildren(
    element('span', { class: 'start' }, name.slice(0, end)),
    element('span', { class: 'end' }, name.slice(end)),
  );
}
