/** How a receiver knows that a notification is from this planq, and new. */
import { createHmac } from 'node:crypto';

/** The header `planq-signature`: HMAC-SHA256 of `<seconds>.<body>`. @param now epoch ms */
export function sign(secret: string, body: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
