//! The checksum that Sensirion's and ASAIR's sensors append: CRC-8, polynomial
//! 0x31, start 0xff.

use super::BusError;

/// The checksum of `bytes`.
pub(crate) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0xff_u8, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| {
            let carry = if sum & 0x80 == 0 { 0 } else { 0x31 };
            (sum << 1) ^ carry
        })
    })
}

/// The two words of a Sensirion answer, each followed by its checksum.
pub(super) fn two_words<E>(answer: [u8; 6]) -> Result<(u16, u16), BusError<E>> {
    let [a_high, a_low, a_sum, b_high, b_low, b_sum] = answer;
    Ok((word([a_high, a_low], a_sum)?, word([b_high, b_low], b_sum)?))
}

fn word<E>(bytes: [u8; 2], sum: u8) -> Result<u16, BusError<E>> {
    if crc8(&bytes) == sum {
        Ok(u16::from_be_bytes(bytes))
    } else {
        Err(BusError::Checksum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_datasheets() {
        assert_eq!(crc8(&[0xbe, 0xef]), 0x92, "SHT3x section 4.12, SHT4x 4.4");
    }
}
