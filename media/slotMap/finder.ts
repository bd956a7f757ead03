import { hashedPart, keySlot } from '../../src/model/keySlot.ts';
import { slotCount } from '../../src/model/slots.ts';
import { element, setText } from './element.ts';
import { textField, type TextField } from './toolkit.ts';

/** The two fields over the map: go to a slot by its number, or to the slot of a key. */
export interface Finder {
  readonly root: HTMLElement;
  /** Goes on with a number whose first digit was typed on the map; the focus returns there after it. */
  readonly startNumber: (digit: string) => void;
}

export function makeFinder(goTo: (slot: number, jump: boolean) => void, focusMap: () => void): Finder {
  let fromMap = false;
  const slotField = named(textField('Go to slot', `0–${String(slotCount - 1)}`), 'go-to-slot');
  const keyField = named(textField('Slot of key', 'user:{42}:name'), 'slot-of-key');
  const answer = element('p', { class: 'answer', role: 'status' });
  const say = (text: string, wrong = false): void => {
    setText(answer, text);
    answer.classList.toggle('wrong', wrong);
  };
  const onSlot = (): void => {
    const text = slotField.value.trim();
    const slot = Number(text);
    if (!/^\d+$/.test(text) || slot >= slotCount)
      say(`Enter a slot from 0 to ${String(slotCount - 1)}.`, true);
    else {
      say('');
      goTo(slot, true);
      if (fromMap) focusMap();
    }
  };
  const onKey = (jump: boolean): void => {
    if (keyField.value === '') {
      say('');
      return;
    }
    const slot = keySlot(keyField.value);
    say(answerFor(keyField.value, slot));
    goTo(slot, jump);
  };
  onEnter(slotField, onSlot);
  onEnter(keyField, () => {
    onKey(true);
  });
  slotField.addEventListener('blur', () => {
    fromMap = false;
  });
  slotField.addEventListener('input', () => {
    say('');
  });
  keyField.addEventListener('input', () => {
    onKey(false);
  });
  return {
    root: element('div', { class: 'finder' }, slotField, keyField, answer),
    startNumber: (digit) => {
      slotField.value = digit;
      slotField.focus();
      fromMap = true;
    },
  };
}

function named(field: TextField, id: string): TextField {
  field.id = id;
  return field;
}

function onEnter(field: TextField, action: () => void): void {
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') action();
  });
}

function answerFor(key: string, slot: number): string {
  const bytes = new TextEncoder().encode(key);
  const part = hashedPart(bytes);
  const tag = part.length === bytes.length ? '' : ` (hash tag “${new TextDecoder().decode(part)}”)`;
  return `Slot ${String(slot)}${tag}`;
}
