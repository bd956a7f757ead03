import * as vscode from 'vscode';

/** The files of the bundled manifests/, by their paths in it. */
export async function readManifestFiles(extensionUri: vscode.Uri): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const decoder = new TextDecoder();
  const read = async (folder: vscode.Uri, prefix: string): Promise<void> => {
    for (const [name, type] of await vscode.workspace.fs.readDirectory(folder)) {
      const uri = vscode.Uri.joinPath(folder, name);
      if (type === vscode.FileType.Directory) await read(uri, `${prefix}${name}/`);
      else files.set(`${prefix}${name}`, decoder.decode(await vscode.workspace.fs.readFile(uri)));
    }
  };
  await read(vscode.Uri.joinPath(extensionUri, 'manifests'), '');
  return files;
}
