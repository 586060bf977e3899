import Testing

/// A field's list, and values of the field that it wants and does not want.
struct OperatorRow: Sendable, CustomTestStringConvertible {
    var list: String
    var wanted: [String]
    var unwanted: [String]

    var testDescription: String { list }

    init(_ list: String, wants wanted: [String], not unwanted: [String]) {
        self.list = list
        self.wanted = wanted
        self.unwanted = unwanted
    }

    static let all = literals + numbers + affixes + caseless + wildcards + anythingBut + numeric + addresses + presence

    /// Values of every other type.
    private static let others = ["null", "true", "false", "0", "{}", "[]", #"{"x":"abc"}"#, "[[]]"]

    private static let literals = [
        OperatorRow(#"["abc"]"#, wants: [#""abc""#, #"["x","abc"]"#, #"[["abc"]]"#, #""\u0061bc""#], not: others),
        OperatorRow(#"["abc"]"#, wants: [], not: [#""ABC""#, #""abcd""#, #""ab""#, #""""#, #""\"abc\"""#]),
        OperatorRow(#"[""]"#, wants: [#""""#], not: others + [#"" ""#]),
        OperatorRow("[true]", wants: ["true", "[false,true]"], not: ["false", "1", #""true""#, "null"]),
        OperatorRow("[false]", wants: ["false"], not: ["true", "0", #""false""#, "null"]),
        OperatorRow("[null]", wants: ["null", "[1,null]"], not: ["false", "0", #""null""#, #""""#, "[]", "{}"]),
        OperatorRow(#"[{"exactly":"abc"}]"#, wants: [#""abc""#], not: [#""ABC""#, "1"]),
        OperatorRow(#"[{"exactly":"10.0.0.1"}]"#, wants: [#""10.0.0.1""#], not: [#""010.0.0.1""#]),
        OperatorRow(#"["a", 1, null]"#, wants: [#""a""#, "1", "1.0", "null"], not: ["2", #""1""#, "true"]),
        OperatorRow(#"["é"]"#, wants: [#""\u00e9""#], not: [#""e\u0301""#]),
        OperatorRow(#"["\ud83d\ude00"]"#, wants: [#""😀""#], not: [#""😁""#]),
        OperatorRow(#"["a\"\\\n"]"#, wants: [#""a\u0022\u005c\u000a""#], not: [#""a""#]),
    ]

    private static let numbers = [
        OperatorRow("[1]", wants: ["1", "1.0", "1e0", "0.1e1", "10E-1", "1.000000000000000000001"], not: ["2", "-1"]),
        OperatorRow("[1]", wants: [], not: [#""1""#, "true", "1.0000001"]),
        OperatorRow("[0]", wants: ["0", "-0", "0.0", "-0.0", "0e5"], not: ["null", "false", "1e-6"]),
        OperatorRow("[-0.0]", wants: ["0", "-0.0"], not: ["1"]),
        OperatorRow("[1000.0]", wants: ["1000", "1e3", "1.0E+3", "10000e-1"], not: ["1001", "100"]),
        OperatorRow("[0.3]", wants: ["0.3", "3e-1", "0.30"], not: ["0.30000000000000004", "0.1"]),
        OperatorRow("[123456789012]", wants: ["123456789012", "1.23456789012e11"], not: ["123456789013"]),
        // Beyond 2^53 a double stands for several whole numbers, and they are one.
        OperatorRow("[9007199254740993]", wants: ["9007199254740992", "9007199254740993"], not: ["9007199254740994"]),
        OperatorRow("[1e400]", wants: ["1e400"], not: ["1e401", "-1e400", "1e399", "1"]),
        OperatorRow("[-1e400]", wants: ["-1e400"], not: ["1e400"]),
        OperatorRow("[5e-324]", wants: ["5e-324", "4.9406564584124654e-324"], not: ["0", "1e-323"]),
        OperatorRow("[1e-400]", wants: ["0", "1e-500"], not: ["5e-324"]),
    ]

    private static let affixes = [
        OperatorRow(#"[{"prefix":"ab"}]"#, wants: [#""ab""#, #""abc""#, #"[1,"abc"]"#], not: others + [#""a""#]),
        OperatorRow(#"[{"prefix":"ab"}]"#, wants: [#""\u0061bz""#], not: [#""Ab""#, #""xab""#, #""""#]),
        OperatorRow(#"[{"prefix":""}]"#, wants: [#""""#, #""x""#], not: others),
        OperatorRow(#"[{"prefix":"é"}]"#, wants: [#""été""#], not: [#""e\u0301""#, #""è""#]),
        OperatorRow(#"[{"suffix":"bc"}]"#, wants: [#""bc""#, #""abc""#], not: others + [#""bcd""#, #""c""#]),
        OperatorRow(#"[{"suffix":""}]"#, wants: [#""""#, #""x""#], not: others),
        OperatorRow(#"[{"suffix":"語"}]"#, wants: [#""日本語""#], not: [#""日本""#]),
    ]

    private static let caseless = [
        OperatorRow(#"[{"equals-ignore-case":"aBc"}]"#, wants: [#""abc""#, #""ABC""#, #""AbC""#], not: others),
        OperatorRow(#"[{"equals-ignore-case":"aBc"}]"#, wants: [], not: [#""abcd""#, #""ab""#, #""""#]),
        OperatorRow(#"[{"equals-ignore-case":""}]"#, wants: [#""""#], not: [#""a""#]),
        OperatorRow(#"[{"equals-ignore-case":"é@["}]"#, wants: [#""É@[""#], not: [#""É`[""#, #""É@{""#]),
        OperatorRow(#"[{"equals-ignore-case":"k"}]"#, wants: [#""K""#], not: [#""\u212a""#]),
        OperatorRow(#"[{"equals-ignore-case":"ß"}]"#, wants: [#""ß""#, #""SS""#], not: [#""ss""#, #""S""#]),
        OperatorRow(#"[{"equals-ignore-case":"ΰ"}]"#, wants: [#""\u03a5\u0308\u0301""#], not: [#""\u03a5""#]),
        OperatorRow(#"[{"equals-ignore-case":"Σας"}]"#, wants: [#""σΑΣ""#, #""σας""#], not: [#""σασ""#]),
        OperatorRow(#"[{"equals-ignore-case":"\ud801\udc00"}]"#, wants: [#""\ud801\udc28""#], not: [#""x""#]),
        OperatorRow(#"[{"prefix":{"equals-ignore-case":"AB"}}]"#, wants: [#""abc""#, #""Ab""#], not: others),
        OperatorRow(#"[{"prefix":{"equals-ignore-case":"ßa"}}]"#, wants: [#""SSAx""#, #""ßa""#], not: [#""SS""#]),
        OperatorRow(#"[{"prefix":{"equals-ignore-case":""}}]"#, wants: [#""""#, #""x""#], not: others),
        OperatorRow(#"[{"suffix":{"equals-ignore-case":"BC"}}]"#, wants: [#""abc""#, #""Bc""#], not: others),
        OperatorRow(#"[{"suffix":{"equals-ignore-case":"éß"}}]"#, wants: [#""xÉSS""#, #""éß""#], not: [#""SS""#]),
    ]

    private static let wildcards = [
        OperatorRow(#"[{"wildcard":"*"}]"#, wants: [#""""#, #""a""#, #""*""#], not: others),
        OperatorRow(#"[{"wildcard":"a*c"}]"#, wants: [#""ac""#, #""abc""#, #""accc""#], not: [#""a""#, #""abcd""#]),
        OperatorRow(#"[{"wildcard":"aa*aa"}]"#, wants: [#""aaaa""#, #""aaxaa""#], not: [#""aaa""#]),
        OperatorRow(#"[{"wildcard":"*b*"}]"#, wants: [#""b""#, #""abc""#], not: [#""""#, #""ac""#]),
        OperatorRow(#"[{"wildcard":"abc"}]"#, wants: [#""abc""#], not: [#""abcd""#, #""a*c""#]),
        OperatorRow(#"[{"wildcard":""}]"#, wants: [#""""#], not: [#""a""#]),
        OperatorRow(#"[{"wildcard":"a\\*c"}]"#, wants: [#""a*c""#], not: [#""abc""#, #""a\\*c""#]),
        OperatorRow(#"[{"wildcard":"a\\\\c"}]"#, wants: [#""a\\c""#], not: [#""ac""#, #""abc""#]),
        OperatorRow(#"[{"wildcard":"\\**\\*"}]"#, wants: [#""**""#, #""*x*""#], not: [#""*""#, #""x*""#]),
        OperatorRow(#"[{"wildcard":"a\\\\*"}]"#, wants: [#""a\\""#, #""a\\b""#], not: [#""a*""#]),
        OperatorRow(#"[{"wildcard":"*ab*ab*"}]"#, wants: [#""abab""#, #""xabyabz""#], not: [#""aba""#, #""abxa""#]),
        OperatorRow(#"[{"wildcard":"*aab*"}]"#, wants: [#""aaab""#, #""xaaaab""#], not: [#""abab""#]),
        OperatorRow(#"[{"wildcard":"a*b*c*d*e*f"}]"#, wants: [#""abcdef""#, #""a1b2c3d4e5f""#], not: [#""abcdf""#]),
        OperatorRow(#"[{"wildcard":"日*語"}]"#, wants: [#""日本語""#, #""日語""#], not: [#""日本""#]),
    ]

    private static let anythingBut = [
        OperatorRow(
            #"[{"anything-but":"abc"}]"#,
            wants: [#""ABC""#, "1", "null", "true", #"["abc","x"]"#, "[null]"],
            not: [#""abc""#, #"["abc"]"#, #"[["abc"]]"#, "[]", "{}", #"{"x":1}"#]
        ),
        OperatorRow(#"[{"anything-but":5}]"#, wants: ["4", #""5""#, "[5,6]"], not: ["5", "5.0", "5e0", "[5]"]),
        OperatorRow(#"[{"anything-but":["a","b"]}]"#, wants: [#""c""#, "1"], not: [#""a""#, #""b""#, #"["a","b"]"#]),
        OperatorRow(#"[{"anything-but":[1,2]}]"#, wants: ["3", #""1""#], not: ["1", "2.0", "[1,2]"]),
        OperatorRow(#"[{"anything-but":""}]"#, wants: [#""a""#, "null"], not: [#""""#]),
        OperatorRow(#"[{"anything-but":"10.0.0.1"}]"#, wants: [#""010.0.0.1""#], not: [#""10.0.0.1""#]),
        OperatorRow(#"[{"anything-but":{"prefix":"ab"}}]"#, wants: [#""a""#, "1"], not: [#""ab""#, #""abc""#]),
        OperatorRow(#"[{"anything-but":{"prefix":["a","b"]}}]"#, wants: [#""c""#], not: [#""ax""#, #""bx""#, "[]"]),
        OperatorRow(#"[{"anything-but":{"suffix":"c"}}]"#, wants: [#""cd""#, "0"], not: [#""c""#, #""abc""#]),
        OperatorRow(#"[{"anything-but":{"suffix":["c","d"]}}]"#, wants: [#""e""#], not: [#""c""#, #""d""#]),
        OperatorRow(#"[{"anything-but":{"equals-ignore-case":"Ab"}}]"#, wants: [#""abc""#, "1"], not: [#""aB""#]),
        OperatorRow(#"[{"anything-but":{"equals-ignore-case":["A","B"]}}]"#, wants: ["1"], not: [#""a""#, #""b""#]),
        OperatorRow(#"[{"anything-but":{"wildcard":"a*c"}}]"#, wants: [#""ab""#, "1"], not: [#""ac""#, #""abc""#]),
        OperatorRow(#"[{"anything-but":{"wildcard":["a*","*z"]}}]"#, wants: [#""b""#], not: [#""a""#, #""z""#]),
        OperatorRow(#"[{"anything-but":5},{"anything-but":6}]"#, wants: ["5", "6", "7"], not: ["[]", "{}"]),
        OperatorRow(#"[{"anything-but":5},5]"#, wants: ["5", "6"], not: ["[]"]),
    ]

    private static let numeric = [
        OperatorRow(#"[{"numeric":["=",5]}]"#, wants: ["5", "5.0", "[4,5]"], not: ["4", #""5""#, "true", "null"]),
        OperatorRow(#"[{"numeric":["=",0]}]"#, wants: ["0", "-0.0"], not: ["1e-6"]),
        OperatorRow(
            #"[{"numeric":["<",5]}]"#,
            wants: ["4.999999", "-1e300", "-1e400"],
            not: ["5", "5.000001", "1e400"]
        ),
        OperatorRow(#"[{"numeric":["<=",5]}]"#, wants: ["5", "-5", "5.0"], not: ["5.0000001", #""4""#]),
        OperatorRow(#"[{"numeric":[">",5]}]"#, wants: ["5.000001", "1e10", "1e400"], not: ["5", "-5", "4.9"]),
        OperatorRow(#"[{"numeric":[">=",5]}]"#, wants: ["5", "[4,6]", "1e300"], not: ["4.999999"]),
        OperatorRow(#"[{"numeric":[">",0,"<",10]}]"#, wants: ["1e-6", "9.99"], not: ["0", "10", "-1"]),
        OperatorRow(#"[{"numeric":[">=",0,"<=",10]}]"#, wants: ["0", "-0.0", "10"], not: ["-1e-9", "10.1"]),
        OperatorRow(#"[{"numeric":[">",-1,"<=",1e9]}]"#, wants: ["0", "1000000000"], not: ["-1", "1e10"]),
        OperatorRow(#"[{"numeric":[">",0,"<",5e-324]}]"#, wants: [], not: ["0", "5e-324", "1"]),
    ]

    private static let addresses = [
        OperatorRow(
            #"[{"cidr":"10.0.0.0/24"}]"#,
            wants: [#""10.0.0.0""#, #""10.0.0.255""#, #""010.000.0.7""#, #"["x","10.0.0.1"]"#, #""::ffff:a00:1""#],
            not: [#""10.0.1.0""#, #""9.255.255.255""#, #""10.0.0""#, #""10.0.0.256""#, #""10.0.0.1.2""#, "10", "null"]
        ),
        OperatorRow(#"[{"cidr":"10.0.0.77/24"}]"#, wants: [#""10.0.0.1""#, #""10.0.0.255""#], not: [#""10.0.1.77""#]),
        OperatorRow(#"[{"cidr":"10.0.0.4/31"}]"#, wants: [#""10.0.0.4""#, #""10.0.0.5""#], not: [#""10.0.0.6""#]),
        OperatorRow(#"[{"cidr":"0.0.0.0/0"}]"#, wants: [#""1.2.3.4""#, #""::1""#, #""2001:db8::1""#], not: [#""x""#]),
        OperatorRow(
            #"[{"cidr":"2001:db8::/32"}]"#,
            wants: [#""2001:db8::1""#, #""2001:0DB8:ffff:0:0:0:0:1""#],
            not: [#""2001:db9::1""#, #""32.1.13.184""#, #""2001:db8::1%eth0""#, #""2001:db8:::1""#, #""2001:db8""#]
        ),
        OperatorRow(
            #"[{"cidr":"::/0"}]"#,
            wants: [#""::""#, #""10.0.0.1""#],
            not: [#""0.0.0.0""#, #""255.255.255.255""#]
        ),
        OperatorRow(
            #"[{"cidr":"2000::/4"}]"#,
            wants: [#""32.0.0.1""#, #""2fff::""#],
            not: [#""32.0.0.0""#, #""16.1.1.1""#]
        ),
        OperatorRow(
            #"["10.0.0.1"]"#,
            wants: [#""10.0.0.1""#, #""10.00.0.01""#],
            not: [#""10.0.0.2""#, #""10.0.0.10""#]
        ),
        OperatorRow(#"["::1"]"#, wants: [#""0:0:0:0:0:0:0:1""#, #""::0001""#], not: [#""::2""#, #""0.0.0.1""#]),
        OperatorRow(#"["1.2.3.999"]"#, wants: [#""1.2.3.999""#], not: [#""1.2.3.4""#]),
        OperatorRow(#"["1:2"]"#, wants: [#""1:2""#], not: [#""01:2""#]),
    ]

    private static let presence = [
        OperatorRow(
            #"[{"exists":true}]"#,
            wants: ["1", "null", #""""#, "[0]", "[[0]]"],
            not: ["[]", "{}", "[[]]", "[{}]"]
        ),
        OperatorRow(
            #"[{"exists":false}]"#,
            wants: ["[]", "{}", "[[]]", #"{"x":1}"#],
            not: ["1", "null", "[0]", "[null]"]
        ),
        OperatorRow(#"[{"exists":false},"a"]"#, wants: ["[]", #""a""#], not: [#""b""#, "1"]),
        OperatorRow(#"[{"exists":false},{"exists":true}]"#, wants: ["[]", "1", "{}"], not: []),
    ]
}
