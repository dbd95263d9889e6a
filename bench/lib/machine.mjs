import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

/** Clock ticks a second, the unit of /proc/<pid>/stat (proc_pid_stat(5)). */
const TICKS_PER_SECOND = ticksPerSecond();

function ticksPerSecond() {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return 100;
  }
}

/**
 * The CPU time that a process has used, all its threads, in milliseconds; `NaN` where there is no /proc.
 * @param {number | undefined} pid
 */
export function cpuMilliseconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
  } catch {
    return NaN;
  }
}

/** What the machine has done so far, in ticks: `stolen` by its host, and in all. */
function machineTicks() {
  try {
    const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/ +/) ?? [];
    const ticks = fields.slice(0, 8).map(Number);
    return { stolen: ticks[7] ?? NaN, all: ticks.reduce((sum, one) => sum + one, 0) };
  } catch {
    return { stolen: NaN, all: NaN };
  }
}

/** The machine in words, its load, and what it has done so far. */
export function machineNow() {
  const all = cpus();
  return {
    cores: all.length,
    model: all[0]?.model.trim() ?? 'unknown',
    load: loadavg()[0] ?? NaN,
    ...machineTicks(),
  };
}
