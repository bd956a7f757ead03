/** What dist/redis.cjs holds: extension.ts loads it on first use, so that starting the editor does not pay for it. */
export {
  addSlots,
  closeSlots,
  pauseAgentOver,
  leaveCluster,
  meet,
  myId,
  replicate,
  setConfigEpoch,
  takeSlots,
} from './admin.ts';
export { bringKeys } from './bringKeys.ts';
export { connectNode } from './connect.ts';
export { formCluster } from './formCluster.ts';
export { pauseAgents } from './pauseAgents.ts';
export { bigKeysAhead } from './moveSlots/bigKeysAhead.ts';
export { importFrom } from './moveSlots/handOver.ts';
export { concurrentMoves } from './moveSlots/concurrentMoves.ts';
export { moveSlots } from './moveSlots/moveSlots.ts';
export { readNodeTimeout } from './moveSlots/ready.ts';
export { readNodeView } from './nodeView.ts';
export { RdbReader, TooLargeValue, type RdbEntry } from './rdb/rdbReader.ts';
export { readsOf, versionFor } from './rdb/encodings.ts';
export { KeyWriter, type Receiver } from './rdb/keyWriter.ts';
export { probeRestore, readFreeMemory } from './rdb/probeRestore.ts';
export { scanRdb, type Scanned } from './rdb/scanRdb.ts';
export { ValueSample, type Difference } from './rdb/valueSample.ts';
export { RdbSum } from './rdb/rdbSum.ts';
export { receiveRdb } from './rdb/receiveRdb.ts';
export { fillSample } from './sampleKeys.ts';
