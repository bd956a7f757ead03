import * as vscode from 'vscode';

/** How the names of saved plans end. */
export const planEnding = '.redisplan.json';

/** Run, Dry Run and Copy above every opened plan. */
export function offerPlanLenses(): vscode.Disposable {
  const top = new vscode.Range(0, 0, 0, 0);
  const lenses = [
    { title: '$(play) Run', command: 'redisCluster.runPlan' },
    { title: 'Dry Run', command: 'redisCluster.dryRunPlan' },
    { title: 'Copy as redis-cli Commands', command: 'redisCluster.copyPlan' },
  ];
  return vscode.languages.registerCodeLensProvider(
    { pattern: `**/*${planEnding}` },
    {
      provideCodeLenses: ({ uri }) =>
        lenses.map((lens) => new vscode.CodeLens(top, { ...lens, arguments: [uri] })),
    },
  );
}
