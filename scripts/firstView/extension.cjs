'use strict';
// Who runs `npm start` came to see the Redis Cluster view; VS Code itself has no way to start with it open.
const vscode = require('vscode');

module.exports = { activate: () => vscode.commands.executeCommand('redisCluster.clusters.focus') };
