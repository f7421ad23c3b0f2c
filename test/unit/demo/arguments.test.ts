import { describe, expect, it } from 'vitest';
import { HELP, parseDemoArguments } from '../../../demo/arguments.mjs';

describe('the arguments of the demo', () => {
  it.each([
    [[], { help: false, json: false, redis: false }],
    [['--redis', '--json'], { help: false, json: true, redis: true }],
    [['--help'], { help: true, json: false, redis: false }],
    [['-h'], { help: true, json: false, redis: false }],
  ])('the arguments %j are read', (args, expected) => {
    expect(parseDemoArguments(args)).toEqual(expected);
  });

  it.each([
    [['--jsn'], "Unknown option '--jsn'"],
    [['-x'], "Unknown option '-x'"],
    [['serve'], "Unexpected argument 'serve'"],
    [['--json=yes'], "Option '--json' does not take an argument"],
  ])('the arguments %j are refused with a reason', (args, problem) => {
    expect(parseDemoArguments(args)).toEqual({ problem });
  });

  it('the help names every option and every exit code', () => {
    expect(HELP).toMatch(/--redis[\s\S]*--json[\s\S]*--help[\s\S]*^ {2}0 [\s\S]*^ {2}1 [\s\S]*^ {2}2 /m);
  });
});
