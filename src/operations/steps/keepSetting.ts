import { refusal } from '../nodes.ts';
import { readRedisConf } from '../upgrade/facts.ts';
import { editSettings, isSameValue, settingsIn } from '../upgrade/settings.ts';
import { kubernetesOf } from './ports.ts';
import type { StepRun } from './step.ts';

/** Writes a setting into the redis.conf that pods start with. Running servers do not read it again. */
export const keepSetting: StepRun<'keepSetting'> = {
  isDone: async ({ configMap, name, value }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const text = await readRedisConf(access, namespace, configMap);
    const values = settingsIn(text ?? '').get(name) ?? [];
    return values.length === 1 && isSameValue(values[0] ?? '', value);
  },
  check: async ({ configMap }, _snapshot, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    if ((await readRedisConf(access, namespace, configMap)) !== undefined) return;
    throw refusal('not-found', `ConfigMap ${configMap} no longer has redis.conf.`);
  },
  act: async ({ configMap, name, value }, ports) => {
    const { access, namespace } = kubernetesOf(ports);
    const text = (await readRedisConf(access, namespace, configMap)) ?? '';
    const change = { data: { 'redis.conf': editSettings(text, { [name]: value }) } };
    await access.patch('v1', 'ConfigMap', namespace, configMap, change, ports.signal);
  },
};
