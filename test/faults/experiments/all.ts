import type { Experiment } from '../experiment.js';
import { crash } from './crash.js';

export const EXPERIMENTS: readonly Experiment[] = [crash];
