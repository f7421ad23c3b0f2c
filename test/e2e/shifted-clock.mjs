// Loaded before the program (`node --import`): its wall clock is off by SHIFTED_CLOCK_MS, as on a machine whose clock was never set.
// Only JavaScript's clock is: the monotonic one, timers, PostgreSQL and Redis go on as they are, as they would there.
const shiftMs = Number(process.env.SHIFTED_CLOCK_MS);
if (!Number.isFinite(shiftMs) || shiftMs === 0) throw new Error('SHIFTED_CLOCK_MS says by how much the clock is off');

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + shiftMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
};
