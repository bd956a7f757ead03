import { reshardScenarios } from './reshardScenarios.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = reshardScenarios;
