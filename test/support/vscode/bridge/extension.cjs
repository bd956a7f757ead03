'use strict';
// Runs, inside the extension host, the functions that the test process sends as text; hostBridge.ts is the other end.
// An extension of its own rather than VS Code's extension tests: while those run, VS Code answers modal dialogs itself.
const net = require('node:net');
const readline = require('node:readline');
const vscode = require('vscode');

/** @param {string} source @param {unknown} arg */
async function evaluate(source, arg) {
  /** @type {unknown} */
  const body = new Function('require', `return (${source});`)(require);
  if (typeof body !== 'function') throw new TypeError('evaluate takes a function or an arrow function.');
  return await body(vscode, arg);
}

/** @param {string} line */
async function answer(line) {
  const { id, source, arg } = JSON.parse(line);
  try {
    return JSON.stringify({ id, value: await evaluate(source, arg) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return JSON.stringify({
      id,
      error: { message, stack: error instanceof Error ? error.stack : undefined },
    });
  }
}

exports.activate = () => {
  const socket = net.connect(process.env['EXTENSION_TEST_SOCKET'] ?? '');
  readline.createInterface({ input: socket }).on('line', (line) => {
    void answer(line).then((text) => socket.write(`${text}\n`));
  });
  // The test process has gone: so does this window.
  const leave = () => vscode.commands.executeCommand('workbench.action.closeWindow');
  socket.on('error', leave).on('end', leave);
};
