import { after, before } from 'node:test';
import { startKubernetes, type TestKubernetes } from '../startKubernetes.ts';
import { deployManifests, type Deployment, type DeployOptions } from './deployment.ts';
import { fill, type Dataset } from './keys.ts';
import { untilWhole } from './whole.ts';

/** What the tests of one file share; read in a test, since it is there only by then. */
export interface ScenarioCluster {
  readonly kubernetes: TestKubernetes;
  readonly deployment: Deployment;
  readonly dataset: Dataset;
}

/** Deploys a whole cluster with a dataset before the file's tests, and removes it after them. */
export function scenarioCluster(
  options: DeployOptions = {},
  { keys = 20_000, bytesPerValue = 100 } = {},
): () => ScenarioCluster {
  let kubernetes: TestKubernetes | undefined;
  let cluster: ScenarioCluster | undefined;
  before(async () => {
    kubernetes = await startKubernetes();
    const deployment = await deployManifests(kubernetes, options);
    const { masters = 3, replicas = 1, pods = masters * (1 + replicas) } = options;
    await untilWhole(deployment, pods);
    cluster = { kubernetes, deployment, dataset: await fill(deployment, keys, { bytesPerValue, replicas }) };
  });
  after(async () => {
    await kubernetes?.stop();
  });
  return () => {
    if (cluster === undefined) throw new Error('the cluster was not deployed');
    return cluster;
  };
}
