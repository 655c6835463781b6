/**
 * From a host to the addresses that may be connected to. Asked once per delivery; what is connected to afterwards is what
 * was looked at here, whatever the name means a moment later. All addresses must be public, or the host allowed by name.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { createAddressCheck } from '../runtime/addresses.ts';
import { errorMessage } from '../runtime/errors.ts';
import { err, ok, type Result } from '../runtime/result.ts';

export interface Address {
  address: string;
  family: number;
}

/** Asks for all addresses of a name. @throws what the system's resolver answers */
export type Resolve = (host: string) => Promise<Address[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true });

export interface Refusal {
  message: string;
  isFinal: boolean;
}

/** @param host without brackets */
export async function findAddresses(
  host: string,
  isAllowed: boolean,
  resolve: Resolve,
): Promise<Result<Address[], Refusal>> {
  const family = isIP(host);
  let addresses: Address[];
  try {
    addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  } catch (error) {
    return err({ message: `cannot find ${host}: ${errorMessage(error)}`, isFinal: false });
  }
  if (addresses.length === 0) return err({ message: `${host} has no address`, isFinal: false });
  const isPublic = createAddressCheck();
  const internal = isAllowed ? undefined : addresses.find(({ address }) => !isPublic(address));
  if (internal === undefined) return ok(addresses);
  const message = `refused: ${host} leads to the internal address ${internal.address}; "allowHosts" may name a host of your own`;
  return err({ message, isFinal: true });
}
