/** How an address of an engine is reached: TLS or not, and at which port. */
import { ENGINE_ADDRESSES_ALLOWED, networkEndpoint, parseEngineAddress } from '../../domain/engine-address.js';
import { ConfigurationError } from '../../domain/errors.js';
import { visible } from '../../domain/text.js';

export type EngineEndpoint =
  | { readonly kind: 'socket'; readonly socketPath: string }
  | { readonly kind: 'network'; readonly host: string; readonly port: number; readonly tls: boolean };

export interface EndpointOptions {
  /** Use TLS also for an address that does not ask for it. */
  readonly tlsVerify?: boolean | undefined;
  /** Where the address comes from, for messages. */
  readonly source?: string | undefined;
}

/** @throws ConfigurationError that names where the address comes from, the address and what is allowed */
export function parseEndpoint(
  host: string,
  { tlsVerify = false, source = 'DOCKER_HOST' }: EndpointOptions = {},
): EngineEndpoint {
  const text = host.trim();
  const address = parseEngineAddress(text);
  switch (address.kind) {
    case 'socket':
      return address;
    case 'network':
      return { kind: 'network', host: address.host, ...networkEndpoint(address, { tlsVerify }) };
    case 'invalid':
      throw new ConfigurationError(
        `${source}=${withoutPassword(text)}: ${address.why}; allowed: ${ENGINE_ADDRESSES_ALLOWED}`,
      );
  }
}

/** A colon before an @ begins a password, wherever a parser might see its end. */
function withoutPassword(text: string): string {
  return /:.*@/s.test(text.replace(/^[^:/]*:\/\//, '')) ? '(not shown)' : visible(text);
}
