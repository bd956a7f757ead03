import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeProgressRing,
  vsCodeTextField,
  type Button,
  type TextField,
} from '@vscode/webview-ui-toolkit';

export type { TextField };

declare global {
  interface HTMLElementTagNameMap {
    'vscode-button': Button;
    'vscode-text-field': TextField;
  }
}

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeProgressRing(), vsCodeTextField());

export function button(text: string, onClick: () => void): Button {
  const made = document.createElement('vscode-button');
  made.appearance = 'secondary';
  made.textContent = text;
  made.addEventListener('click', onClick);
  return made;
}

export function textField(label: string, placeholder: string): TextField {
  const made = document.createElement('vscode-text-field');
  made.textContent = label;
  made.placeholder = placeholder;
  made.spellcheck = false;
  return made;
}

export function progressRing(): HTMLElement {
  return document.createElement('vscode-progress-ring');
}
