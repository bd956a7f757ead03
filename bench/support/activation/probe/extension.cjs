'use strict';
// Measures, again in every extension host, how long the extension takes to activate, and an empty one. VS Code activates
// what waits for the end of start-up only after this has returned.
const fs = require('node:fs');
const vscode = require('vscode');

/** @param {string} name */
async function milliseconds(name) {
  const extension = vscode.extensions.getExtension(`kubernetes-redis-cluster.${name}`);
  if (extension === undefined || extension.isActive) return undefined;
  const started = performance.now();
  await extension.activate();
  return performance.now() - started;
}

module.exports = {
  activate: async () => {
    // The first activation of a host also pays for what all of them share.
    await milliseconds('bench-other-empty');
    const empty = await milliseconds('bench-empty');
    const own = await milliseconds('kubernetes-redis-cluster');
    fs.appendFileSync(process.env['ACTIVATION_TIMES'] ?? '', `${JSON.stringify({ empty, own })}\n`);
  },
};
