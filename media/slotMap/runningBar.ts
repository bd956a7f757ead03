import type { RunningState, SlotMapCommand } from '../../src/ui/panels/slotMap/messages.ts';
import { element, setAttributes, setText } from './element.ts';
import { button } from './toolkit.ts';

/** Says what runs on the cluster, how far it is, and stops it. */
export interface RunningBar {
  readonly root: HTMLElement;
  show(running: RunningState | undefined): void;
}

export function makeRunningBar(run: (command: SlotMapCommand) => void): RunningBar {
  const title = element('strong', {});
  const counted = element('span', { class: 'counted' });
  const text = element('p', { class: 'quiet' });
  const bar = element('span', { class: 'done' });
  const track = element('div', { class: 'track', role: 'progressbar', 'aria-label': 'Progress' }, bar);
  const cancel = button('Cancel', () => {
    run('redisCluster.cancelOperation');
  });
  cancel.title = 'Cancel at the next safe point';
  // What is heard changes every tenth: a listener would hear nothing else otherwise.
  const heard = element('p', { class: 'only-read', role: 'status', 'aria-live': 'polite' });
  const root = element(
    'section',
    { class: 'running', 'aria-label': 'Running operation', hidden: '' },
    element('div', { class: 'what' }, element('p', {}, title, ' ', counted), text, track),
    cancel,
  );
  return {
    root: element('div', { class: 'running-area' }, root, heard),
    show(running) {
      root.hidden = running === undefined;
      setText(heard, heardText(running));
      if (running === undefined) return;
      const { percent, paused } = running;
      setText(title, running.title);
      setText(
        counted,
        [running.counted, percentText(percent)].filter((part) => part !== undefined).join(' · '),
      );
      setText(
        text,
        paused ?? (running.holder === undefined ? (running.text ?? '') : `Run by ${running.holder}`),
      );
      root.classList.toggle('paused', paused !== undefined);
      track.hidden = percent === undefined;
      bar.style.width = `${percent ?? 0}%`;
      setAttributes(track, {
        'aria-valuemin': '0',
        'aria-valuemax': '100',
        'aria-valuenow': String(percent ?? 0),
      });
      cancel.hidden = !running.canCancel;
    },
  };
}

function percentText(percent: number | undefined): string | undefined {
  return percent === undefined ? undefined : `${percent}%`;
}

function heardText(running: RunningState | undefined): string {
  if (running === undefined) return '';
  const { title, holder, percent, paused } = running;
  const by = holder === undefined ? '' : ` by ${holder}`;
  const far = percent === undefined ? '' : `, ${Math.floor(percent / 10) * 10} percent`;
  return `Running${by}: ${title}${far}${paused === undefined ? '' : `. ${paused}`}`;
}
