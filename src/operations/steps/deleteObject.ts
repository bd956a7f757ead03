import { kubernetesOf, type StepPorts } from './ports.ts';

/** An object in the cluster's namespace; with its uid another one that has its name by then is left. */
interface NamedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string | undefined;
}

/** Kubernetes keeps an object for a moment after it was deleted; another one may have the name by then. */
export async function isGone(
  { apiVersion, kind, name, uid }: NamedObject,
  ports: StepPorts,
): Promise<boolean> {
  const { access, namespace } = kubernetesOf(ports);
  const found = await access.get(apiVersion, kind, namespace, name);
  if (found === undefined) return true;
  const { metadata } = found;
  return metadata.deletionTimestamp !== undefined || (uid !== undefined && metadata.uid !== uid);
}

/** Deletes an object that is there. */
export async function deleteObject(object: NamedObject, ports: StepPorts): Promise<void> {
  if (await isGone(object, ports)) return;
  const { apiVersion, kind, name, uid } = object;
  const { access, namespace } = kubernetesOf(ports);
  const only = uid === undefined ? {} : { uid };
  ports.report({ text: `deleting ${kind} ${name}` });
  if (await access.delete(apiVersion, kind, namespace, name, ports.signal, only))
    ports.tally({ deleted: [`${kind} ${name}`] });
}
