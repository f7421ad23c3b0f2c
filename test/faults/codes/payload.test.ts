/** Jobs whose data is refused: each leaves its row and is a dead letter at once. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { useSite } from './site.js';

let rig: Rig;
useSite((_site, opened) => (rig = opened));

const good = { gameId: 'game-1', opSource: 'admin_rest' };
const given = (payload: unknown) => (): Promise<Ended> => rig.run({ payload });

provokes(
  'payload-unknown-job-name',
  /^invalid_request: job name "cleanup" is unknown; allowed: cleanup_container/,
  () => rig.run({ jobName: 'cleanup', payload: good }),
);

for (const payload of [null, 17, 'game-1', ['game-1']]) {
  provokes('payload-no-object', /^invalid_request: data: .*expected object/, given(payload), JSON.stringify(payload));
}
provokes(
  'payload-field-missing',
  /opSource: .*expected string.*\(found {"gameId":"game-1"}\)/,
  given({ gameId: 'game-1' }),
);
provokes('payload-field-of-wrong-type', /gameId: .*expected string, received number/, given({ ...good, gameId: 17 }));
provokes(
  'payload-unknown-field',
  /Unrecognized key: "expectedContainer"/,
  given({ ...good, expectedContainer: 'a'.repeat(64) }),
);
provokes(
  'payload-game-id-empty',
  /gameId is empty; a game id has 1 to 256 characters/,
  given({ ...good, gameId: ' ' }),
);
provokes(
  'payload-game-id-control-character',
  /gameId "a\\u0007b" contains a control character/,
  given({ ...good, gameId: 'a\u0007b' }),
);
provokes('payload-game-id-too-long', /has 257 characters; at most 256/, given({ ...good, gameId: 'g'.repeat(257) }));
provokes('payload-game-id-malformed', /is not well-formed Unicode/, given({ ...good, gameId: 'game \uD800' }));
provokes(
  'payload-unknown-source',
  /opSource "moon_phase" is unknown; allowed: lobby_stream, /,
  given({ ...good, opSource: 'moon_phase' }),
);
provokes(
  'payload-source-ref-too-long',
  /sourceRef has 257 characters; at most 256/,
  given({ ...good, sourceRef: 'r'.repeat(257) }),
);
for (const sourceRef of ['a\0b', 'a\uDC00b']) {
  const variant = JSON.stringify(sourceRef);
  provokes('payload-source-ref-not-storable', /is not storable text/, given({ ...good, sourceRef }), variant);
}
provokes(
  'payload-expected-container-not-full',
  /expectedContainerId "deadbeef" is not a full container id/,
  given({ ...good, expectedContainerId: 'deadbeef' }),
);
