import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';
import type { KubernetesObject } from '../../../../src/kubernetes/kubernetesAccess.ts';
import { configMap, deployment, statefulSet, type Shape } from '../shape.ts';

/** A Deployment for each node, as people write it by hand: nothing but the names says that they belong together. */
export function deploymentPerNode(name: string): Shape {
  const workloads = [1, 2, 3, 4, 5, 6].map((node) => `${name}-${node}`);
  const password = 'p4ssword';
  const conf = `cluster-enabled yes\ncluster-node-timeout 3000\nprotected-mode no\ndir /data\nrequirepass ${password}\nmasterauth ${password}\n`;
  const cli = `export REDISCLI_AUTH=${password}; redis-cli`;
  return {
    ...{ image: 'redis8', name, workloads, references: [], cli, client: { password }, keepsFiles: false },
    foundIn: `password from requirepass in ConfigMap ${name}/redis.conf`,
    make: async (maker) => {
      await maker.create(configMap(name, { 'redis.conf': conf }));
      for (const workload of workloads) {
        const objects = deployment({
          ...{
            name: workload,
            labels: { app: workload },
            replicas: 1,
            container: 'redis',
            image: maker.image('redis8'),
          },
          run: 'cp /etc/redis/redis.conf /tmp/redis.conf\nexec redis-server /tmp/redis.conf\n',
          ports: [{ containerPort: 6379 }],
          mounts: [
            { name: 'conf', mountPath: '/etc/redis' },
            { name: 'data', mountPath: '/data' },
          ],
          volumes: [
            { name: 'conf', configMap: { name } },
            { name: 'data', emptyDir: {} },
          ],
          ping: cli,
        });
        for (const object of objects) await maker.create(object);
      }
    },
  };
}

/** As tutorials do it: everything is in a redis.conf, and nothing else says what it is. Three masters. */
export function tutorial(name: string, password: string): Shape {
  const conf = `cluster-enabled yes\nprotected-mode no\ndir /tmp\nmasterauth "${password}"\nrequirepass "${password}"\n`;
  const file = '/usr/local/etc/redis/redis.conf';
  const cli = `export REDISCLI_AUTH="$(sed -n 's/^requirepass "\\(.*\\)"/\\1/p' ${file})"; redis-cli`;
  return {
    ...{ image: 'redis7', name, workloads: [name], cli, client: { password }, keepsFiles: false },
    foundIn: `password from requirepass in ConfigMap ${name}/redis.conf`,
    make: async (maker) => {
      const objects = statefulSet({
        ...{ name, labels: { app: name }, replicas: 3, container: name, image: maker.image('redis7') },
        run: `cp ${file} /tmp/redis.conf\nexec redis-server /tmp/redis.conf\n`,
        ports: [{ containerPort: 6379 }],
        mounts: [{ name: 'conf', mountPath: '/usr/local/etc/redis' }],
        volumes: [{ name: 'conf', configMap: { name } }],
        ping: cli,
      });
      for (const object of [configMap(name, { 'redis.conf': conf }), ...objects]) await maker.create(object);
    },
  };
}

const ancestorFile = join(import.meta.dirname, '../../../vscode/foreign/redis-cluster.yml');

/** The manifest that the bundled ones descend from: each pod joins by a script of its own, and none has a volume. */
export function ancestor(): Shape {
  return {
    ...{ image: 'redis7', name: 'redis-cluster', workloads: ['redis-cluster'], cli: 'redis-cli' },
    ...{ client: {}, keepsFiles: false, formsItself: true },
    make: async (maker) => {
      const objects = loadAllYaml(await readFile(ancestorFile, 'utf8')) as readonly KubernetesObject[];
      for (const object of objects) await maker.create(object);
    },
  };
}
