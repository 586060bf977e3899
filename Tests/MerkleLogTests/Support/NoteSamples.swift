import MerkleLog

/// Keys, notes and a proof file that Python's `cryptography` and `hashlib` have made by the specifications.
enum NoteSamples {
    static let origin = "example.com/audit"

    /// The log's key: its seed is the bytes 0 to 31.
    static let logKey = "example.com/audit+29b87bfc+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    static let logSigner = "PRIVATE+KEY+example.com/audit+29b87bfc+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

    /// The same key as a witness's.
    static let logCosigner = "PRIVATE+KEY+example.com/audit+3554c32a+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

    /// A witness's key: its seed is the bytes 100 to 131.
    static let witnessKey = "witness.example/w1+09dcf0bd+BAu8NGpXZnw4ASC9nH/X5R0sX9/qN80vW/QFssa/by14"
    static let witnessSigner =
        "PRIVATE+KEY+witness.example/w1+09dcf0bd+BGRlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKD"

    /// When the witness has signed.
    static let time: UInt64 = 1_800_000_000

    /// The head of the tree whose entries are the decimal numbers from 0 to 299.
    static let checkpoint = "example.com/audit\n300\nhOE+weA3FVrmGXV1mbLNIa2lpWXg/ZsxOcDDxsG4rak=\n"

    static let logLine =
        "\u{2014} example.com/audit Kbh7/Bw0Tc9voAyoEZ6x5xQi8r9LwB1HzG2Qn6zZ+DOCrOfNTLpaWSvGCcwbQ8OFu8+3zhsKjKf5EVDyPKlI"
        + "8WhJeww="
    static let witnessLine =
        "\u{2014} witness.example/w1 CdzwvQAAAABrSdIAM5caKHX48JDU/oy24275hDZQjFvzyhItm2wVgGIoguFAXlUH5YAxDJplAIZKx33+MI/s"
        + "SnP0dfaa/ayVURdeDg=="

    static let note = "\(checkpoint)\n\(logLine)\n\(witnessLine)\n"

    /// The proof that the number 258 is in that tree, with the extra data 0, 1, 2.
    static let proof = """
        c2sp.org/tlog-proof@v1
        extra AAEC
        index 258
        fucGleIIxt8ni2D/7rOWaT1A/JST7mURISwyZXNJObA=
        elRMjFyBRC4ThljFulFjMHE6FB5Pd0w/l3efC7Xiouc=
        XowY1ISsGFuBtDIKJAZ5Elf+jBiKroSpw0WPPFx2SmE=
        6Hp5eipVH89n+sdICer9EW0/gNrausO52Al2YMp4/gs=
        hB9C5YkLQNjBpyfng6dbRqoWXw+evzZI9kxL5ChPYkI=
        XRoMYx6RKLywYX8EZXdimpoNUwhwfrm6b403nXMGSVQ=
        goUV0DPBnYyQHzfsy4rtkZZncDSG+NL/8c9wQDIcXbE=


        """ + note
}
