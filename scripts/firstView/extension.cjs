'use strict';
// Opens the Redis Cluster view, which VS Code itself has no way to start with: for `npm start` and .vscode/launch.json,
// which also has the sandbox started.
const vscode = require('vscode');

module.exports = {
  activate: async () => {
    await vscode.commands.executeCommand('redisCluster.clusters.focus');
    if (process.env['REDIS_CLUSTER_START_SANDBOX'] === '1') {
      await vscode.commands.executeCommand('redisCluster.startSandbox');
    }
  },
};
