import { nodeName } from '../../model/shards.ts';
import { answers, refusal } from '../servers/nodes.ts';
import { settingOf } from '../settings/settingOf.ts';
import { readRedisConf } from '../statefulSets/facts.ts';
import { editSettings, isSameValue, settingsIn, valueText } from '../settings/settings.ts';
import { withConnection } from '../servers/withConnection.ts';
import { kubernetesOf } from './ports.ts';
import { objectName, settingName, settingValue } from './fields.ts';
import { losesNothing, never, noCommand, type StepDefinition } from './step.ts';

const fields = { configMap: objectName, name: settingName, value: settingValue };

/** Writes a setting into the redis.conf that pods start with. Running servers do not read it again. */
export const keepSetting: StepDefinition<'keepSetting', typeof fields> = {
  kind: 'keepSetting',
  description: 'Writes a setting where pods find it when they start.',
  fields,
  example: { configMap: 'redis-cluster', name: 'maxmemory-policy', value: 'allkeys-lru' },
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ configMap, name, value }) =>
    `Save ${name} ${valueText(value)} in redis.conf of ConfigMap ${configMap}`,
  ...losesNothing,
  command: noCommand,
  isDone: async ({ configMap, name, value }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const text = await readRedisConf(access, namespace, configMap);
    const values = settingsIn(text ?? '').get(name) ?? [];
    return values.length === 1 && isSameValue(values[0] ?? '', value);
  },
  check: async ({ configMap, name }, { nodes }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    if ((await readRedisConf(access, namespace, configMap)) === undefined)
      throw refusal('not-found', `ConfigMap ${configMap} no longer has redis.conf.`);
    await Promise.all(
      nodes.filter(answers).map(async (node) => {
        if ((await withConnection(ports, node.id, (one) => settingOf(one, name))) !== undefined) return;
        throw refusal(
          'invalid-input',
          `The server ${nodeName(node)} has no setting "${name}": with it in redis.conf, servers would not start.`,
        );
      }),
    );
  },
  act: async ({ configMap, name, value }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const text = (await readRedisConf(access, namespace, configMap)) ?? '';
    const change = { data: { 'redis.conf': editSettings(text, { [name]: value }) } };
    await access.patch('v1', 'ConfigMap', namespace, configMap, change, ports.signal);
  },
};
