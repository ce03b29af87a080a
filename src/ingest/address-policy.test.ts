import { describe, expect, it } from 'vitest';
import { alwaysDeniedNetworks as always } from '../config.ts';
import { AddressPolicy } from './address-policy.ts';

const open = new AddressPolicy({ allowed: [], denied: always });

describe('AddressPolicy', () => {
  it.each([
    '192.168.1.20',
    '10.0.0.1',
    '127.0.0.1',
    '203.0.113.7',
    '::1',
    '2001:db8::7',
    'fd12::1',
    '64:ff9b::c0a8:114',
  ])('permits %s', (address) => {
    expect(open.permits(address)).toBe(true);
  });

  it.each([
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::a9fe:a9fe',
    '::ffff:0:169.254.169.254',
    '::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '2002:e000:1::',
    'fe80::1',
    'fe80::1%lo',
    'ff02::1',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    '100.100.100.200',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '255.255.255.255',
    'not an address',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
    '169.254.43518',
    '127.1',
    '010.0.0.1',
    '',
  ])('denies %s whatever the settings', (address) => {
    expect(open.permits(address)).toBe(false);
    expect(new AddressPolicy({ allowed: ['0.0.0.0/0', '::/0'], denied: always }).permits(address)).toBe(
      false,
    );
  });

  it('keeps to the lists of the settings, also for IPv4 written as IPv6', () => {
    const policy = new AddressPolicy({
      allowed: ['192.168.0.0/16', '127.0.0.1'],
      denied: ['192.168.7.0/24'],
    });
    expect(policy.permits('192.168.1.1')).toBe(true);
    expect(policy.permits('::ffff:192.168.1.1')).toBe(true);
    expect(policy.permits('192.168.7.1')).toBe(false);
    expect(policy.permits('10.0.0.1')).toBe(false);
    expect(policy.permits('127.0.0.1')).toBe(true);
  });

  it('refuses names by the address they resolve to, and names that do not resolve', async () => {
    await expect(open.resolve('localhost')).resolves.toContain('127.0.0.1');
    const policy = new AddressPolicy({ allowed: ['192.168.0.0/16'], denied: [] });
    await expect(policy.resolve('localhost')).rejects.toMatchObject({ code: 'address_denied' });
    await expect(open.resolve('no-such-host.invalid')).rejects.toMatchObject({ code: 'unknown_host' });
  });
});
