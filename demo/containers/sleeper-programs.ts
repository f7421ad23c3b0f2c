/**
 * The three programs of the sleeper image, as ready Linux executables.
 *
 * A container needs some program to run. A usual base image (busybox, alpine) would have to be pulled from a registry, and
 * a program in C would need a compiler; the demo and the tests must work without both. So this file holds the machine code
 * of three programs (3 to 7 instructions each, with their assembly beside them) and puts the ELF file header in front,
 * which tells the kernel where to load the code. The result is a static executable of less than 200 bytes that only makes
 * system calls.
 */

/** The engine names architectures as Go does. */
export type SleeperArchitecture = 'amd64' | 'arm64';

/**
 * `sleep` waits for ever; only SIGKILL ends it, because the kernel does not deliver other unhandled signals to the first
 * process of a container. `exit` ends at once with status 0, `fail` with status 1.
 */
export type SleeperPrograms = Readonly<Record<'sleep' | 'exit' | 'fail', Buffer>>;

export function sleeperPrograms(architecture: SleeperArchitecture): SleeperPrograms {
  const { machine, code } = PROGRAMS[architecture];
  return {
    sleep: executable(machine, code.sleep),
    exit: executable(machine, code.exit),
    fail: executable(machine, code.fail),
  };
}

const PROGRAMS = {
  amd64: {
    machine: 62, // EM_X86_64
    code: {
      sleep: bytes([
        'b8 22 00 00 00', // again: mov eax, 34 (pause)
        '0f 05', //                syscall
        'eb f7', //                jmp again, 9 bytes back
      ]),
      exit: bytes([
        '31 ff', //          xor edi, edi (status 0)
        'b8 e7 00 00 00', // mov eax, 231 (exit_group)
        '0f 05', //          syscall
      ]),
      fail: bytes([
        'bf 01 00 00 00', // mov edi, 1 (status 1)
        'b8 e7 00 00 00', // mov eax, 231 (exit_group)
        '0f 05', //          syscall
      ]),
    },
  },
  arm64: {
    machine: 183, // EM_AARCH64
    code: {
      // arm64 has no pause system call; ppoll without descriptors and time limit waits for ever too.
      sleep: words([
        0xd2800000, // again: mov x0, #0 (no descriptors)
        0xd2800001, //        mov x1, #0 (0 descriptors)
        0xd2800002, //        mov x2, #0 (no time limit)
        0xd2800003, //        mov x3, #0 (no signal mask)
        0xd2800928, //        mov x8, #73 (ppoll)
        0xd4000001, //        svc #0
        0x17fffffa, //        b again, 6 words back
      ]),
      exit: words([
        0xd2800000, // mov x0, #0 (status 0)
        0xd2800bc8, // mov x8, #94 (exit_group)
        0xd4000001, // svc #0
      ]),
      fail: words([
        0xd2800020, // mov x0, #1 (status 1)
        0xd2800bc8, // mov x8, #94 (exit_group)
        0xd4000001, // svc #0
      ]),
    },
  },
} as const;

function bytes(instructions: readonly string[]): Buffer {
  return Buffer.from(instructions.join('').replaceAll(' ', ''), 'hex');
}

function words(instructions: readonly number[]): Buffer {
  const code = Buffer.alloc(instructions.length * 4);
  for (const [index, instruction] of instructions.entries()) code.writeUInt32LE(instruction, index * 4);
  return code;
}

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
const LOAD_ADDRESS = 0x400000n;
// The largest page of the two architectures; a loadable segment is aligned to it.
const PAGE_BYTES = 0x10000n;

/** A 64-bit little-endian ELF file with one segment: the whole file, mapped readable and executable. */
function executable(machine: number, code: Buffer): Buffer {
  const file = Buffer.concat([Buffer.alloc(CODE_OFFSET), code]);
  file.write('\x7fELF', 0, 'latin1');
  file.writeUInt8(2, 4); // 64-bit
  file.writeUInt8(1, 5); // little-endian
  file.writeUInt8(1, 6); // version of the format
  file.writeUInt16LE(2, 16); // an executable at a fixed address
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20); // version of the format, again
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(CODE_OFFSET), 24); // entry point
  file.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32); // where the program headers are
  file.writeUInt16LE(ELF_HEADER_BYTES, 52);
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  file.writeUInt16LE(1, 56); // one program header

  const header = file.subarray(ELF_HEADER_BYTES, CODE_OFFSET);
  header.writeUInt32LE(1, 0); // a segment to load
  header.writeUInt32LE(5, 4); // readable (4) and executable (1)
  header.writeBigUInt64LE(0n, 8); // from the start of the file
  header.writeBigUInt64LE(LOAD_ADDRESS, 16); // to this address
  header.writeBigUInt64LE(LOAD_ADDRESS, 24); // physical address; not used
  header.writeBigUInt64LE(BigInt(file.length), 32); // bytes in the file
  header.writeBigUInt64LE(BigInt(file.length), 40); // bytes in memory
  header.writeBigUInt64LE(PAGE_BYTES, 48);
  return file;
}
