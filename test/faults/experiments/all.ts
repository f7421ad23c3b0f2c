import type { Experiment } from '../experiment.js';
import { crash, crashDefaults } from './crash.js';
import { engineCalls } from './engine-calls.js';
import { histories } from './histories.js';
import { outages } from './outages.js';
import { pause } from './pause.js';

export const EXPERIMENTS: readonly Experiment[] = [crash, crashDefaults, pause, engineCalls, outages, histories];
