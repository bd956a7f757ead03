import { withInfo } from '../../model/nodeView.ts';
import { mastersOf } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { Overlay } from '../manifests/overlays.ts';
import { receiversIn } from '../refusals/restoring.ts';
import type { BackupFiles } from './readBackup.ts';

/** What a new cluster has to be so that the keys of another one have room in it. */
export interface NewShape {
  readonly masters: number;
  readonly replicasPerMaster: number;
  readonly overlays: readonly Overlay[];
  readonly memory: string;
  readonly storage?: string;
}

const MiB = 1024 ** 2;
/** What the manifests give a server, in MiB, of which it uses 70 % for keys; and the size of a volume, in MiB. */
const leastMemory = 256;
const leastVolume = 1024;
const usableMemory = 0.7;
const fewestMasters = 3;
/** Slots do not hold the same, and a server needs memory for its clients and replicas. */
const reserve = 1.5;
/** An append-only file, its successor while it is rewritten, and as much again. */
const volumePerMemory = 4;
/** What the files tell is the least that keys can take; hash tables and what is packed in the files take more. */
const memoryPerByteOfFile = 2;
/** Bytes up to which keys need no volume for the time of a rehearsal. */
const mostWithoutVolume = 100 * MiB;

/** As many masters and replicas as a cluster has, with room for what its servers use now. */
export function shapeLike(snapshot: ClusterSnapshot): NewShape {
  const owners = receiversIn(snapshot);
  const masters = Math.max(fewestMasters, owners.length);
  const replicas = snapshot.nodes.length - mastersOf(snapshot).length;
  const used = owners.reduce((sum, { view }) => sum + (withInfo(view)?.usedMemoryBytes ?? 0), 0);
  const isValkey = owners.some(({ view }) => view?.product === 'valkey');
  return {
    masters,
    replicasPerMaster: Math.min(5, Math.ceil(replicas / masters)),
    overlays: isValkey ? ['valkey'] : [],
    ...roomFor(used / masters),
  };
}

/** As many masters as the backup has files, each with a replica, and room for its keys. */
export function shapeToHold({ files }: BackupFiles): Required<NewShape> {
  const masters = Math.max(fewestMasters, files.length);
  return {
    ...{ masters, replicasPerMaster: 1, overlays: productOf(files) },
    ...roomFor((bytesIn(files) * memoryPerByteOfFile) / masters),
  };
}

/** The smallest cluster that holds the keys of a backup, for as long as it takes to compare them. */
export function shapeToRehearse(backup: BackupFiles): NewShape {
  const { masters, memory, storage, overlays } = shapeToHold(backup);
  const kept = { masters, replicasPerMaster: 0, memory };
  return bytesIn(backup.files) <= mostWithoutVolume
    ? { ...kept, overlays: ['dev', ...overlays] }
    : { ...kept, overlays, storage };
}

function bytesIn(files: BackupFiles['files']): number {
  return files.reduce(
    (sum, { scanned }) => sum + scanned.bytesBySlot.reduce((all, bytes) => all + bytes, 0),
    0,
  );
}

function productOf(files: BackupFiles['files']): readonly Overlay[] {
  return files.some(({ scanned }) => scanned.family === 'valkey') ? ['valkey'] : [];
}

/** @param used bytes that the keys of one master take */
function roomFor(used: number): { readonly memory: string; readonly storage: string } {
  const memory = Math.max(leastMemory, Math.ceil((used * reserve) / usableMemory / MiB));
  return { memory: `${memory}Mi`, storage: `${Math.max(leastVolume, memory * volumePerMemory)}Mi` };
}
