const z95 = 1.959964;

/**
 * The 95 % score interval of a share of `trials` independent trials (Wilson, 1927). Unlike mean ± error it stays within 0
 * and 1 and has a width at both ends. Without trials nothing is known: 0 to 1.
 */
export function wilsonInterval(share: number, trials: number): readonly [low: number, high: number] {
  if (trials <= 0) return [0, 1];
  const z2 = z95 ** 2;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (z95 / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
