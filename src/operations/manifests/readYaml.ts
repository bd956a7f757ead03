import { parseAllDocuments } from 'yaml';

/** The documents of a text as Kubernetes' own tools read them: by YAML 1.1, in which 0440 is a file mode. */
export function readYaml(text: string): readonly unknown[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
}
