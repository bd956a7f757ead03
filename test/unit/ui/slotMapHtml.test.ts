import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slotMapHtml } from '../../../src/ui/panels/slotMap/slotMapHtml.ts';

test('the page may load its own script and style and nothing else', () => {
  const sources = { cspSource: 'https://host', script: 'https://host/a.js', style: 'https://host/a.css' };
  const html = slotMapHtml(sources, 'n0nce');
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
  assert.equal(policy, "default-src 'none'; style-src https://host 'nonce-n0nce'; script-src 'nonce-n0nce'");
  assert.deepEqual(html.match(/<script[^>]*>/g), ['<script nonce="n0nce" src="https://host/a.js">']);
});
