import { describe, expect, it } from 'vitest';
import { addressBlock } from '$lib/server/throttle/address-block';

describe('the block of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0DB8:0001:0002:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9%eth0', '2001:db8:1:2'],
    ['::ffff:1', '0:0:0:0'],
    ['not an address', 'not an address'],
  ])('the block of the address %s is %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });

  it.each([
    '203.0.113.9',
    ' 203.0.113.9 ',
    '::ffff:203.0.113.9',
    '::FFFF:203.0.113.9',
    '0:0:0:0:0:ffff:cb00:7109',
    '0000:0000:0000:0000:0000:ffff:203.0.113.9',
    '::ffff:cb00:7109%eth0',
    '::ffff:0:203.0.113.9',
    '64:ff9b::203.0.113.9',
    '64:ff9b::cb00:7109',
    '64:ff9b:1::cb00:7109',
    '2002:cb00:7109::1',
    '2002:cb00:7109:1234:5::6',
  ])('%s is another form of 203.0.113.9 and counts as the same address', (address) => {
    expect(addressBlock(address)).toBe('203.0.113.9');
  });

  it('different mapped addresses stay different', () => {
    const blocks = ['::ffff:203.0.113.9', '::ffff:203.0.113.10', '64:ff9b::198.51.100.7'].map(addressBlock);
    expect(new Set(blocks).size).toBe(3);
  });

  it.each(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost', '', null])(
    '%j has no address block, because no stranger can have it',
    (address) => {
      expect(addressBlock(address)).toBeNull();
    },
  );
});
