/** Estimates in the words people use for them. */

/** `5 min`, `1 h 30 min`, `2 h`. */
export function formatMinutes(minutes: number): string {
  const rounded = Math.round(minutes);
  const [hours, rest] = [Math.floor(rounded / 60), rounded % 60];
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** `15-20 min`; one amount when both are the same. */
export function formatRange(min: number, max: number): string {
  if (min === max) return formatMinutes(max);
  return max < 60 ? `${Math.round(min)}-${formatMinutes(max)}` : `${formatMinutes(min)} to ${formatMinutes(max)}`;
}
