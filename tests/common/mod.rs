//! A small valid market directory that a test then breaks in one way.

use std::fs;
use std::path::Path;

use ikiz::data::{Loaded, Refused, load};
use ikiz::problem::render;
use tempfile::TempDir;

/// Every file of a market directory, small and valid.
pub const FILES: [(&str, &str); 20] = [
    (
        "market.toml",
        "name = \"Test market\"\nown_company = \"us\"\ncurrency = \"TRY\"\ndemand = \"units\"\nperiod = \"month\"\n\
         history_end = \"2024-06\"\nregion = \"TR\"\n",
    ),
    (
        "territories.csv",
        "territory_id,name,lon,lat,area_km2,population,outlets,parent_id,income\n\
         TR,Türkiye,,,,,,,\n\
         06,Ankara,32.85,39.93,24521,5803482,3,TR,410.5\n\
         34,İstanbul,28.98,41.01,5343,15655924,,TR,\n\
         35,İzmir,27.14,38.42,11891,4479525,5,TR,377\n",
    ),
    (
        "customers.csv",
        "customer_id,territory_id,lon,lat,segment,size,affinity,influence,digital,price_sensitivity,\
         preferred_channel,consent,sources,first_known,closed,beds,remark\n\
         C1,34,29.01,41.02,chain,120,0.5,0.1,0.9,0.2,phone,email;sms,crm;distributor,2024-01,,12,old friend\n\
         C2,06,,,pharmacy,40.5,,,,,,,crm,2024-02-15,2024-06,,\"moved, twice\"\n\
         C3,34,29.03,41.05,pharmacy,,1,0,0,1,face_to_face,whatsapp,crm,,,30,\"of \"\"note\"\"\"\n",
    ),
    (
        "sales.csv",
        "period,customer_id,product_id,units,value,flow,order_channel,order_days\n\
         2024-01,C1,P1,10,100.5,sell_in,visit,2\n\
         2024-01,C1,P1,-2,-20,sell_in,visit,1\n\
         2024-02,C1,P2,5,50,sell_out,web,1\n\
         2024-02,C2,P1,7,70,sell_in,,1\n\
         2024-03,C3,P1,1,,sell_in,phone,1\n\
         2024-06,C3,P1,4,40,sell_in,phone,1\n",
    ),
    (
        "territories.geojson",
        "{\"type\": \"FeatureCollection\", \"features\": [\n\
         {\"type\": \"Feature\", \"properties\": {\"territory_id\": \"06\"}, \"geometry\": {\"type\": \"Polygon\", \
         \"coordinates\": [[[32, 39], [33, 39], [33, 40], [32, 39]]]}},\n\
         {\"type\": \"Feature\", \"properties\": {\"territory_id\": \"34\"}, \"geometry\": {\"type\": \"MultiPolygon\", \
         \"coordinates\": [[[[28, 41], [29, 41], [29, 42], [28, 41]]]]}},\n\
         {\"type\": \"Feature\", \"properties\": {\"territory_id\": \"35\"}, \"geometry\": {\"type\": \"Polygon\", \
         \"coordinates\": [[[27, 38], [28, 38], [28, 39], [27, 38]]]}}\n\
         ]}\n",
    ),
    (
        "panel.csv",
        "period,territory_id,company_id,units,value\n\
         2024-01,*,*,100,1000\n\
         2024-01,34,us,12,120\n\
         2024-01,34,rival,30,300\n\
         2024-02,34,us,6,60\n",
    ),
    ("companies.csv", "company_id,name\nrival,Rival AŞ\nus,Our Company\n"),
    (
        "calls.csv",
        "date,customer_id,channel,rep_id,calls,product_id,content,hour,response\n\
         2024-01-05,C1,face_to_face,R1,2,P1,launch,10,ordered\n\
         2024-01-20,C1,email,R2,,P1,launch,,opened\n\
         2024-03-01,C2,phone,,1,,,14,silent\n",
    ),
    (
        "reps.csv",
        "rep_id,start,end,calls_per_month,monthly_cost\nR1,2023-01,,80,145000\nR2,2023-05-15,2024-04-30,60,120000\n",
    ),
    ("assignments.csv", "rep_id,territory_id,valid_from,valid_to\nR1,34,2023-01,\nR2,06,2023-05,2024-04\n"),
    (
        "actions.csv",
        "company_id,territory_id,start,end,kind,intensity\n\
         rival,*,2024-02-01,2024-02-29,campaign,0.4\n\
         us,34,2024-05,2024-05,price,-0.1\n",
    ),
    (
        "captures.csv",
        "territory_id,segment,crm,distributor,web,count\n\
         06,pharmacy,1,0,0,1\n\
         34,pharmacy,1,1,0,1\n\
         34,pharmacy,0,1,1,4\n",
    ),
    ("wallets.csv", "customer_id,from,to,demand\nC1,2024-01,2024-06,300\n"),
    ("experiments.csv", "start,end,territories,lever,lift,se\n2024-02,2024-04,34;06,call_plan,0.12,0.05\n"),
    ("contacts.csv", "customer_id,seat,view\nC1,buyer,0.5\nC1,finance,-1\nC2,user,\n"),
    ("contracts.csv", "customer_id,start,end,price\nC1,2024-01-01,2025-12-31,9.5\n"),
    ("receivables.csv", "period,customer_id,balance,limit,overdue\n2024-01,C1,50,200,0\n2024-02,C1,150,200,20.5\n"),
    ("events.csv", "date,customer_id,kind\n2024-03-02,C3,complaint\n2024-01-12,C1,visit\n"),
    ("calendar.csv", "event,start,end\nramadan,2024-03-11,2024-04-09\ncongress,2024-09,2024-09\n"),
    (
        "deflator.csv",
        "period,index\n2023-12,0.9\n2024-01,1\n2024-02,1.1\n2024-03,1.2\n2024-04,1.3\n2024-05,1.4\n2024-06,1.5\n",
    ),
];

/// A market directory in a folder of its own.
pub struct MarketFolder {
    folder: TempDir,
}

impl MarketFolder {
    /// All files, valid.
    pub fn full() -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for (name, text) in FILES {
            this.write(name, text);
        }
        this
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, in place of the one of that name.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path().join(name), content).expect("a file that can be written");
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("a file that can be read")
    }

    /// Replaces text of a file that must be in it.
    pub fn replace(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = self.read(name);
        assert!(text.contains(from), "{name} does not hold {from:?}");
        self.write(name, text.replace(from, to))
    }

    /// Adds lines to a file.
    pub fn append(&self, name: &str, lines: &str) -> &Self {
        let text = self.read(name);
        self.write(name, format!("{text}{lines}\n"))
    }

    pub fn remove(&self, name: &str) -> &Self {
        fs::remove_file(self.path().join(name)).expect("a file that can be removed");
        self
    }

    pub fn load(&self) -> Result<Loaded, Refused> {
        load(self.path())
    }

    /// What the user reads: all problems, or what was left aside.
    pub fn messages(&self) -> String {
        let folder = self.path().display().to_string();
        let text = match self.load() {
            Err(refused) => render(&refused.problems, false),
            Ok(loaded) => {
                let columns: Vec<String> = loaded
                    .ignored_columns
                    .iter()
                    .map(|ignored| format!("{} {}", ignored.file, ignored.column))
                    .collect();
                format!(
                    "{}loaded; columns not read: [{}]; files not read: [{}]\n",
                    render(&loaded.warnings, false),
                    columns.join(", "),
                    loaded.ignored_files.join(", ")
                )
            }
        };
        text.replace(&folder, "MARKET")
    }
}
