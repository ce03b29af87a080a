// The worker's entry: the engine with the worker's own scope as its port.

import type { EnginePort } from '../messages.ts';
import { serve } from './serve.ts';

serve(globalThis as unknown as EnginePort);
